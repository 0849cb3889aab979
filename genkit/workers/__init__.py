"""Workers: processes that train one model together; how they find, start and watch each other."""
