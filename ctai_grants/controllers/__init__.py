from . import conversation, people, portal, report
