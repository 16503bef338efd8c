from . import grant_reason
