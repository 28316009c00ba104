"""Result cards, and the tables, figures and page that are made from them.

``mindflood.cards.cards`` is light and may be imported from anywhere; the rest needs pandas.
"""
