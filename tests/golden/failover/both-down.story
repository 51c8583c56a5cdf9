# Both nodes are killed; then the second one comes back, and at last the first.
phone 7975
at 100 kill cm2
at 110 kill cm1
at 160 go cm2
at 400 go cm1
until 600
