"""A simulated company: people who write, call and buy, the tools that are told of them, and a picture of it all.

A stranger to the house: it speaks HTTP to the hub and imports no room.
"""
