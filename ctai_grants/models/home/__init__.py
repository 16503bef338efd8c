from . import grant_today
