"""What one Telegram update means: aiogram routers, thin; they speak to `flows` and fill a `storage` visit."""
