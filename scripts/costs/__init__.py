"""What instructions cost: a module of cases for each program."""
