"""What people and USDC's issuer do to token accounts while money is on its way to them."""

from __future__ import annotations

from solders.pubkey import Pubkey

from keeper.chain.token import create_associated, transfer
from tests.model.orders.state import FEES, USDC
from tests.model.state import Address, Tokens, wallet
from tests.programs.orders.calls import BOB, ISSUER, PAULA, RENTERS, OrdersCalls
from tests.programs.orders.pair import USDC_MINT
from tests.programs.side_by_side import MALLORY
from tests.security.tokens import close, freeze, set_owner, thaw


class AccountCalls(OrdersCalls):
    """Accounts for USDC: those for IO nobody can freeze, and a stake would wait for."""

    def where(self, account: Tokens) -> Pubkey:
        """Where an account for USDC is."""
        return self.pair.tokens_address(account, USDC)

    def do_freeze(self, account: Tokens, *, let_go: bool = False) -> None:
        """The issuer stops an account, or lets it go."""
        build = thaw if let_go else freeze
        call = build(self.where(account), USDC_MINT, Pubkey(ISSUER))
        self.aside(
            "thaw" if let_go else "freeze", lambda: self.model.freeze(account, thaw=let_go), call, ISSUER
        )

    def do_hand_over(self, owner: Address, *, back: bool = False) -> None:
        """Somebody gives its account to mallory, who gives it back."""
        before, after = (MALLORY, owner) if back else (owner, MALLORY)
        call = set_owner(self.where(wallet(owner)), Pubkey(before), Pubkey(after))
        self.aside("hand over", lambda: self.model.hand_over(wallet(owner), after), call, before)

    def do_close_tokens(self, owner: Address, heir: Address) -> None:
        """Somebody empties its account and closes it."""
        account, to = wallet(owner), wallet(heir)
        call = transfer(self.where(account), self.where(to), Pubkey(owner), self.model.usdc[account])
        if self.aside("send all", lambda: self.model.send_all(account, to), call, owner) == "send all":
            gone = close(self.where(account), Pubkey(owner), Pubkey(owner))
            self.aside("close account", lambda: self.model.close_tokens(account), gone, owner)

    def do_open(self, owner: Address) -> None:
        """Anybody opens somebody's account."""
        call = create_associated(self.pair.world.payer.pubkey(), Pubkey(owner), USDC_MINT)
        self.aside("open account", lambda: self.model.open_tokens(wallet(owner)), call)

    def let_go(self, account: Tokens) -> None:
        """Whatever was done to an account is undone."""
        if (account, USDC) in self.model.frozen:
            self.do_freeze(account, let_go=True)
        if (account, USDC) in self.model.owners:
            assert account.owner is not None
            self.do_hand_over(account.owner, back=True)


PAYEES = (*RENTERS, BOB, PAULA)
"""Whoever orders pay USDC to."""
TARGETS = (*map(wallet, PAYEES), FEES, FEES, FEES)
"""Accounts that the issuer may stop."""

__all__ = ["PAYEES", "TARGETS", "AccountCalls"]
