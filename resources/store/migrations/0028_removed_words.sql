-- What left a hub leaves no word of a person or a chat: neither a title nor a caption.

UPDATE topics SET title = '…' WHERE state = 'removed';
UPDATE publications SET caption = '' WHERE state = 'removed';
