NAME="optim_db"
DEFAULT=()
def names(): return []
def out(): return {}
