import warnings
warnings.warn("careful")
warnings.warn("old", DeprecationWarning)
x = "\d"
