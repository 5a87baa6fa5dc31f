"""A network of one's own: Solana's JSON-RPC and websocket in front of an embedded chain.

What clients ask a node they ask this, in the node's own shapes and with its own errors: wallets, explorers,
kit, web3.js, Anchor, anchorpy, the Solana CLI, and :class:`keeper.chain.rpc.RpcChain`.
"""
