from . import grant_recovery_step
