"""How annotations get to Lasair: the outbox, the budget, the client, the sender."""
