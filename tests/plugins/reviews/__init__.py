"""Reviews: what buyers say of products. A plugin as its author would write it, outside of Velella's own repository.

docs/writing-a-module.md is about this package.
"""
