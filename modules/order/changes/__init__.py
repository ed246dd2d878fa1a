"""How orders change: one engine for all that happens to them after they were placed.

    after = applied(order, [{"action": "FULFILL_ITEM", "details": {"reference_id": line, "quantity": 2}}], at)

An *action* is one thing that can be done to an order (`actions.py`): it checks whether the order allows it, and does it. A *change* is a
list of actions. `applied` is pure: an order and actions in, the order's next version out. What is written is that, as the next version,
while the former one is put away.
"""
