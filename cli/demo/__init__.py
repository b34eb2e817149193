"""`face-archive demo`: a loopback Telegram with a sample chat, taken through the real assets."""
