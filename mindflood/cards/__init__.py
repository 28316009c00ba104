"""Result cards and the records of attacks: their form, checked when read; rates from counts."""
