"""Trusted documents: requests registered beforehand, asked by their identifier; locked tokens run nothing else."""
