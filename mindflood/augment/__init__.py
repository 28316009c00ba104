"""More training text than there is: SSMBA's and back-translation's."""
