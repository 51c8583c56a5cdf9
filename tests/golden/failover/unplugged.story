# The first node is unplugged for ten minutes.
phone 7960
at 200 unplug cm1
at 800 plug cm1
until 1200
