# An hour: the first node is killed after two minutes and comes back after ten.
phone 7975
at 120 kill cm1
at 600 go cm1
until 3600
