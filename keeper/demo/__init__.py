"""The whole economy on an embedded chain: 20 years in seconds, every figure checked."""

from keeper.operator.quiet import one_thread

# The products are small here: threads for each would cost more than they save.
one_thread()
