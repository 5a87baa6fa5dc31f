"""The example in docs/orders.md, on the program: every figure of its table."""

from pathlib import Path

from keeper.clients import buyback, orders
from keeper.economy.money import show
from keeper.economy.orders import Currency
from tests.programs.orders.world import HOUR, USDC, USDC_MINT, OrdersWorld

DOCUMENT = Path(__file__).parents[3] / "docs/orders.md"


def test_the_documents_example():
    world = OrdersWorld.ready()
    renter, supplier = world.renter("renter"), world.supplier("supplier")
    world.let("worker", supplier)
    wallets = {who: world.money(who.pubkey(), Currency.USDC) for who in (renter, supplier)}
    rows: list[tuple[str, ...]] = []

    def look(step: str) -> None:
        account = world.chain.get(order.address)
        found = orders.parse_order(account.data) if account else None
        paid_in, got = (
            abs(world.money(who.pubkey(), Currency.USDC) - before) for who, before in wallets.items()
        )
        free, held = (found.free, found.held) if found else (0, 0)
        assert world.tokens(order.vault) == free + held
        fees = world.tokens(buyback.fee_vault(USDC_MINT))
        rows.append((step, *(show(each, Currency.USDC) for each in (paid_in, free, held, got, fees))))

    order = world.order(renter, currency=Currency.USDC, price=3 * USDC, devices=1)
    config = world.orders_config()
    look("order opened")
    world.match(order, "worker")
    look("device matched")
    world.accept(order, "worker")
    look("worker accepted")
    world.do(orders.refund(config, order))
    look("rest given back")
    world.chain.advance(5 * HOUR)
    assert world.settle(order, "worker").error is None
    look("paid after five hours, two of them late")
    world.chain.advance(HOUR // 2 + 1)
    assert world.end(order, "worker", renter).error is None
    look("ended by the renter")
    world.chain.advance(2 * HOUR)
    assert world.settle(order, "worker").error is None
    look("paid to the end")
    world.do(orders.close_lease(world.lease(order, "worker")))
    world.do(orders.close_order(config, order))
    look("order closed")
    table = DOCUMENT.read_text().partition("<!-- example: begin -->")[2].partition("<!-- example: end -->")[0]
    assert [line for line in table.splitlines() if "0000 |" in line or "1111 |" in line] == [
        "| " + " | ".join(row) + " |" for row in rows
    ]
