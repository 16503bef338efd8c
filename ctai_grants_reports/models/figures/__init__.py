from . import grant_figure
