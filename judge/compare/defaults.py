"""What is compared where it is not said."""

# The selection, with what is compared where it is not given: options of `mapbench plan`.
SELECTION = {"maps": "ours", "releases": None, "shapes": "u64_u64,str_u64", "workloads": "get,get_miss,put_grow,del", "keys": "uniform",
             "n": "10k", "hash": "common", "heap": "malloc", "seed": "1", "filter": None}
