"""Another model for an archive that has faces: plan, embed, judge, switch, or go back.

Each module holds one of these. Which model is in use is the store's row; how a crop is embedded is
`resources.vision`'s.
"""
