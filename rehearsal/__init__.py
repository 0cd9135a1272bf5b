"""A Bot API server for one machine, and a chat page in the browser: to try, train and test without Telegram.

What it keeps true: a bot that behaves well here behaves well at Telegram, because the limits, errors, orders
and delays are Telegram's. No production code imports this package.

    python -m rehearsal --token 1000:TRY
"""
