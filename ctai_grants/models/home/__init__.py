from . import grant_today, grant_today_steps, ir_http
