"""What ``mallard doctor`` looks at.

The installation is examined with the standard library alone; the state of the home only when that went well enough to
import what reads it.
"""
