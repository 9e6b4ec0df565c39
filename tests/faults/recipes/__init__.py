"""One module per recipe, each with one class `Fault`. Its name is the module's."""
