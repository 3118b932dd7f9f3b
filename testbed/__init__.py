"""Makes labelspace's surroundings on a machine: the official parts where they can be had,
else the closest thing that can.
"""
