"""What the Hub asks of a card: reading its YAML safely, its rules, and dated snapshots of its lists.

Stands alone, so that the checks of the editor and the embedded Hub judge by the same rules.
"""
