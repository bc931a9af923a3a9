"""The Liquid of our templates: nothing is printed as a hole, nothing runs without a bound.

Differs from plain Liquid in this: a missing or null variable raises wherever its value matters
(`if` and `default` may look at it); no clock and no local time zone; no other files; no `tablerow`.
"""
