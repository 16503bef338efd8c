from . import grant_today, ir_http
