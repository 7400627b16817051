NAME="module_db"
DEFAULT=()
def names(): return []
def out(): return {}
