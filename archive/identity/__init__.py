"""Pure rules about people: which faces belong together, and how good that answer is.

Arrays and records in, records out. No database, model, clock or random source is touched here:
what decides is a function of its arguments, so the same store gives the same people.
"""
