"""The same rules and strengths in other frameworks: a room a framework, which imports it only when it is used.

Nothing is imported here: ``from shrinkage.interop import keras`` needs Keras, and no other room's framework.
"""
