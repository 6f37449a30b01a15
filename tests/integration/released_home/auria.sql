BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0006');
CREATE TABLE "attempts" (
	id INTEGER NOT NULL, 
	post_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	fencing INTEGER NOT NULL, 
	started_at DATETIME NOT NULL, 
	ended_at DATETIME, 
	outcome VARCHAR(20), 
	words TEXT NOT NULL, 
	memo TEXT DEFAULT ('') NOT NULL, 
	sending_at DATETIME, 
	CONSTRAINT pk_attempts PRIMARY KEY (id), 
	CONSTRAINT fk_attempts_post_id_posts FOREIGN KEY(post_id) REFERENCES posts (id), 
	CONSTRAINT uq_attempts_post_id_number UNIQUE (post_id, number), 
	CONSTRAINT ck_attempts_outcome CHECK (outcome IN ('sent', 'refused', 'throttled', 'unauthorised', 'unclear', 'abandoned', 'broken'))
);
INSERT INTO "attempts" VALUES(1,1,1,1,'2026-11-21 09:00:00.000000','2026-11-21 09:00:00.000000','sent','','','2026-11-21 09:00:00.000000');
CREATE TABLE audiences (
	id INTEGER NOT NULL, 
	channel VARCHAR(100) NOT NULL, 
	at DATETIME NOT NULL, 
	followers INTEGER, 
	CONSTRAINT pk_audiences PRIMARY KEY (id)
);
CREATE TABLE bookmarks (
	subreddit VARCHAR(100) NOT NULL, 
	listing VARCHAR(100) NOT NULL, 
	mark TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_bookmarks PRIMARY KEY (subreddit, listing)
);
CREATE TABLE channels (
	name VARCHAR(100) NOT NULL, 
	paused_at DATETIME, 
	paused_by VARCHAR(100) NOT NULL, 
	reason TEXT NOT NULL, 
	CONSTRAINT pk_channels PRIMARY KEY (name)
);
INSERT INTO "channels" VALUES('fake','2026-11-21 10:00:00.000000','operator','a holiday');
CREATE TABLE corpora (
	name VARCHAR(40) NOT NULL, 
	made_at DATETIME NOT NULL, 
	verses INTEGER NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	settings JSON NOT NULL, 
	CONSTRAINT pk_corpora PRIMARY KEY (name)
);
CREATE TABLE drafts (
	id INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	folder VARCHAR(200) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	made_at DATETIME NOT NULL, 
	decided_at DATETIME, 
	reason TEXT NOT NULL, 
	text TEXT NOT NULL, 
	alt_text TEXT NOT NULL, 
	channels JSON NOT NULL, 
	signature VARCHAR(64) NOT NULL, 
	picture_sha256 VARCHAR(64) NOT NULL, 
	artwork JSON NOT NULL, 
	mood VARCHAR(40) NOT NULL, 
	style VARCHAR(200) NOT NULL, 
	fingerprint VARCHAR(16) NOT NULL, 
	CONSTRAINT pk_drafts PRIMARY KEY (id), 
	CONSTRAINT ck_drafts_state CHECK (state IN ('made', 'approved', 'rejected', 'scheduled')), 
	CONSTRAINT uq_drafts_folder UNIQUE (folder)
);
INSERT INTO "drafts" VALUES(1,3,'run-1','scheduled','2026-11-21 09:00:00.000000','2026-11-21 09:00:00.000000','','stone number 1

— Auria #haiku','A painting of lake 1.','["folder"]','c9bdcf1ce2e16ab945cc46194746d6212c111b88c5d4bc56e2db13869580adb8','fa665beb8a7f4691372fbec341078ca945ccd19384ae8fbbcbb7ab8fc0a5f78a','{"seed": 9223372036854775807, "theme": "", "mood": "serene", "mood_source": "read", "haiku": {"lines": ["stone number 1", "\u201cfrost\u201d \u2014 \u30cd\u30b3 \\ ''quoted''", "the pond"], "syllables": [5, 7, 5]}, "style": {"key": "style-1", "title": "The Wave", "artist": "G. Courbet", "year": "1870", "mode": "painterly", "strength": 0.6}, "nudity": 0.1, "fingerprint": "0000000000000001", "caption": "a lake under a mountain", "alt_text": "A painting of lake 1.", "post_text": "stone number 1\n\n\u2014 Auria #haiku", "painting": "painting.png", "full": "full.png", "post": "post.jpg", "card": "card.jpg", "models": [["poet:word-lstm", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"], ["painter:attn", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"]]}','serene','style-1','0000000000000001');
INSERT INTO "drafts" VALUES(2,3,'run-2','scheduled','2026-11-21 10:00:00.000000','2026-11-21 10:00:00.000000','','stone number 2

— Auria #haiku','A painting of lake 2.','["folder"]','b782ea8830f385ce7bcc6564685a9411ccb54a2c5723fa4d91b076922b94eaba','8cfb290338b4465037ddfe8d65a1bf169aad5af570980beef0925a8023b3beeb','{"seed": 9223372036854775806, "theme": "", "mood": "serene", "mood_source": "read", "haiku": {"lines": ["stone number 2", "\u201cfrost\u201d \u2014 \u30cd\u30b3 \\ ''quoted''", "the pond"], "syllables": [5, 7, 5]}, "style": {"key": "style-2", "title": "The Wave", "artist": "G. Courbet", "year": "1870", "mode": "painterly", "strength": 0.6}, "nudity": 0.1, "fingerprint": "0000000000000002", "caption": "a lake under a mountain", "alt_text": "A painting of lake 2.", "post_text": "stone number 2\n\n\u2014 Auria #haiku", "painting": "painting.png", "full": "full.png", "post": "post.jpg", "card": "card.jpg", "models": [["poet:word-lstm", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"], ["painter:attn", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"]]}','serene','style-2','0000000000000002');
INSERT INTO "drafts" VALUES(3,3,'run-3','scheduled','2026-11-21 10:00:00.000000','2026-11-21 10:00:00.000000','','stone number 3

— Auria #haiku','A painting of lake 3.','["folder"]','274f0393ba6773f356177f9f9cee7cd2f1498c931faeb2c06592343eeefe36c4','8cfb290338b4465037ddfe8d65a1bf169aad5af570980beef0925a8023b3beeb','{"seed": 9223372036854775805, "theme": "", "mood": "serene", "mood_source": "read", "haiku": {"lines": ["stone number 3", "\u201cfrost\u201d \u2014 \u30cd\u30b3 \\ ''quoted''", "the pond"], "syllables": [5, 7, 5]}, "style": {"key": "style-3", "title": "The Wave", "artist": "G. Courbet", "year": "1870", "mode": "painterly", "strength": 0.6}, "nudity": 0.1, "fingerprint": "0000000000000003", "caption": "a lake under a mountain", "alt_text": "A painting of lake 3.", "post_text": "stone number 3\n\n\u2014 Auria #haiku", "painting": "painting.png", "full": "full.png", "post": "post.jpg", "card": "card.jpg", "models": [["poet:word-lstm", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"], ["painter:attn", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"]]}','serene','style-3','0000000000000003');
INSERT INTO "drafts" VALUES(4,2,'run-4','approved','2026-11-21 10:00:00.000000','2026-11-21 10:00:00.000000','','stone number 4

— Auria #haiku','A painting of lake 4.','["folder"]','c6666ba16970ed01f59a928a17550785cfee9e82817c87c8ae7cc3f5391153d2','7ae9694c73c742da669439cacbb9053aadd35d5b163765cd32f787ec15a9d0d5','{"seed": 9223372036854775804, "theme": "", "mood": "serene", "mood_source": "read", "haiku": {"lines": ["stone number 4", "\u201cfrost\u201d \u2014 \u30cd\u30b3 \\ ''quoted''", "the pond"], "syllables": [5, 7, 5]}, "style": {"key": "style-4", "title": "The Wave", "artist": "G. Courbet", "year": "1870", "mode": "painterly", "strength": 0.6}, "nudity": 0.1, "fingerprint": "0000000000000004", "caption": "a lake under a mountain", "alt_text": "A painting of lake 4.", "post_text": "stone number 4\n\n\u2014 Auria #haiku", "painting": "painting.png", "full": "full.png", "post": "post.jpg", "card": "card.jpg", "models": [["poet:word-lstm", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"], ["painter:attn", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"]]}','serene','style-4','0000000000000004');
INSERT INTO "drafts" VALUES(5,2,'run-5','rejected','2026-11-21 12:30:15.123456','2026-11-21 10:00:00.000000','too dark','stone number 5

— Auria #haiku','A painting of lake 5.','[]','','0000000000000000000000000000000000000000000000000000000000000005','{"seed": 9223372036854775803, "theme": "", "mood": "serene", "mood_source": "read", "haiku": {"lines": ["stone number 5", "\u201cfrost\u201d \u2014 \u30cd\u30b3 \\ ''quoted''", "the pond"], "syllables": [5, 7, 5]}, "style": {"key": "style-5", "title": "The Wave", "artist": "G. Courbet", "year": "1870", "mode": "painterly", "strength": 0.6}, "nudity": 0.1, "fingerprint": "0000000000000005", "caption": "a lake under a mountain", "alt_text": "A painting of lake 5.", "post_text": "stone number 5\n\n\u2014 Auria #haiku", "painting": "painting.png", "full": "full.png", "post": "post.jpg", "card": "card.jpg", "models": [["poet:word-lstm", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"], ["painter:attn", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"]]}','serene','style-5','0000000000000005');
INSERT INTO "drafts" VALUES(6,1,'run-6','made','2026-11-21 12:30:15.123456',NULL,'','stone number 6

— Auria #haiku','A painting of lake 6.','[]','','0000000000000000000000000000000000000000000000000000000000000006','{"seed": 9223372036854775802, "theme": "", "mood": "serene", "mood_source": "read", "haiku": {"lines": ["stone number 6", "\u201cfrost\u201d \u2014 \u30cd\u30b3 \\ ''quoted''", "the pond"], "syllables": [5, 7, 5]}, "style": {"key": "style-6", "title": "The Wave", "artist": "G. Courbet", "year": "1870", "mode": "painterly", "strength": 0.6}, "nudity": 0.1, "fingerprint": "0000000000000006", "caption": "a lake under a mountain", "alt_text": "A painting of lake 6.", "post_text": "stone number 6\n\n\u2014 Auria #haiku", "painting": "painting.png", "full": "full.png", "post": "post.jpg", "card": "card.jpg", "models": [["poet:word-lstm", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"], ["painter:attn", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"]]}','serene','style-6','0000000000000006');
CREATE TABLE journal (
	id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	who VARCHAR(100) NOT NULL, 
	action VARCHAR(40) NOT NULL, 
	draft_id INTEGER, 
	words TEXT NOT NULL, 
	CONSTRAINT pk_journal PRIMARY KEY (id), 
	CONSTRAINT fk_journal_draft_id_drafts FOREIGN KEY(draft_id) REFERENCES drafts (id)
);
INSERT INTO "journal" VALUES(1,'2026-11-21 09:00:00.000000','operator','approve',1,'folder');
INSERT INTO "journal" VALUES(2,'2026-11-21 09:00:00.000000','operator','schedule',1,'folder');
INSERT INTO "journal" VALUES(3,'2026-11-21 10:00:00.000000','operator','approve',2,'folder');
INSERT INTO "journal" VALUES(4,'2026-11-21 10:00:00.000000','operator','schedule',2,'folder');
INSERT INTO "journal" VALUES(5,'2026-11-21 10:00:00.000000','operator','approve',3,'folder');
INSERT INTO "journal" VALUES(6,'2026-11-21 10:00:00.000000','operator','schedule',3,'folder');
INSERT INTO "journal" VALUES(7,'2026-11-21 10:00:00.000000','operator','approve',4,'folder');
INSERT INTO "journal" VALUES(8,'2026-11-21 10:00:00.000000','operator','reject',5,'too dark');
CREATE TABLE leases (
	name VARCHAR(40) NOT NULL, 
	holder VARCHAR(200) NOT NULL, 
	fencing INTEGER NOT NULL, 
	until DATETIME NOT NULL, 
	heartbeat DATETIME NOT NULL, 
	CONSTRAINT pk_leases PRIMARY KEY (name)
);
CREATE TABLE notices (
	id INTEGER NOT NULL, 
	kind VARCHAR(40) NOT NULL, 
	subject VARCHAR(200) NOT NULL, 
	at DATETIME NOT NULL, 
	title TEXT NOT NULL, 
	words TEXT NOT NULL, 
	picture TEXT NOT NULL, 
	tries INTEGER NOT NULL, 
	next_at DATETIME, 
	told JSON NOT NULL, 
	CONSTRAINT pk_notices PRIMARY KEY (id), 
	CONSTRAINT uq_notices_kind_subject UNIQUE (kind, subject)
);
INSERT INTO "notices" VALUES(1,'draft_waiting','6','2026-11-21 10:00:00.000000','Draft 6 waits','see it','/srv/auria-released/pictures/run-2/post.jpg',0,'2026-11-21 10:00:00.000000','[]');
CREATE TABLE posts (
	id INTEGER NOT NULL, 
	draft_id INTEGER NOT NULL, 
	channel VARCHAR(100) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	due DATETIME NOT NULL, 
	text TEXT NOT NULL, 
	alt_text TEXT NOT NULL, 
	picture TEXT NOT NULL, 
	picture_sha256 VARCHAR(64) NOT NULL, 
	signature VARCHAR(64) NOT NULL, 
	"key" VARCHAR(200) NOT NULL, 
	fencing INTEGER NOT NULL, 
	lease_until DATETIME, 
	receipt_id TEXT, 
	receipt_url TEXT, 
	receipt_at DATETIME, 
	words TEXT NOT NULL, memo TEXT DEFAULT '' NOT NULL, tried_at DATETIME, lookups INTEGER DEFAULT '0' NOT NULL, receipt_cost FLOAT, vanished_at DATETIME, 
	CONSTRAINT pk_posts PRIMARY KEY (id), 
	CONSTRAINT ck_posts_state CHECK (state IN ('waiting', 'sending', 'unknown', 'sent', 'failed', 'needs_attention')), 
	CONSTRAINT fk_posts_draft_id_drafts FOREIGN KEY(draft_id) REFERENCES drafts (id), 
	CONSTRAINT uq_posts_draft_id_channel UNIQUE (draft_id, channel), 
	CONSTRAINT uq_posts_key UNIQUE ("key")
);
INSERT INTO "posts" VALUES(1,1,'folder','sent','2026-11-21 09:00:00.000000','stone number 1

— Auria #haiku','A painting of lake 1.','/srv/auria-released/pictures/run-1/post.jpg','fa665beb8a7f4691372fbec341078ca945ccd19384ae8fbbcbb7ab8fc0a5f78a','c9bdcf1ce2e16ab945cc46194746d6212c111b88c5d4bc56e2db13869580adb8','987fa1ee6929d41adec5c5de76e819fb',1,NULL,'987fa1ee6929d41adec5c5de76e819fb','file:///srv/auria-released/published/posts/987fa1ee6929d41adec5c5de76e819fb/picture.jpg','2026-11-21 09:00:00.000000','','','2026-11-21 09:00:00.000000',0,0.0,NULL);
INSERT INTO "posts" VALUES(2,2,'folder','waiting','2026-11-22 10:00:00.000000','stone number 2

— Auria #haiku','A painting of lake 2.','/srv/auria-released/pictures/run-2/post.jpg','8cfb290338b4465037ddfe8d65a1bf169aad5af570980beef0925a8023b3beeb','b782ea8830f385ce7bcc6564685a9411ccb54a2c5723fa4d91b076922b94eaba','3b458ab06354c6fdb9636aa336761ba3',0,NULL,NULL,NULL,NULL,'','',NULL,0,NULL,NULL);
INSERT INTO "posts" VALUES(3,3,'folder','waiting','2026-11-22 10:00:00.000000','stone number 3

— Auria #haiku','A painting of lake 3.','/mnt/archive/run-3.jpg','8cfb290338b4465037ddfe8d65a1bf169aad5af570980beef0925a8023b3beeb','274f0393ba6773f356177f9f9cee7cd2f1498c931faeb2c06592343eeefe36c4','17a84ad1d83ce15ee12690cff4a2bb06',0,NULL,NULL,NULL,NULL,'','',NULL,0,NULL,NULL);
CREATE TABLE samples (
	id INTEGER NOT NULL, 
	post_id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	likes INTEGER, 
	reposts INTEGER, 
	replies INTEGER, 
	quotes INTEGER, 
	saves INTEGER, 
	views INTEGER, 
	CONSTRAINT pk_samples PRIMARY KEY (id), 
	CONSTRAINT fk_samples_post_id_posts FOREIGN KEY(post_id) REFERENCES posts (id)
);
CREATE TABLE sightings (
	"key" VARCHAR(32) NOT NULL, 
	digest VARCHAR(32) NOT NULL, 
	author VARCHAR(32) NOT NULL, 
	CONSTRAINT pk_sightings PRIMARY KEY ("key", digest)
);
CREATE TABLE slots (
	job VARCHAR(120) NOT NULL, 
	slot VARCHAR(20) NOT NULL, 
	due DATETIME NOT NULL, 
	state VARCHAR(10) NOT NULL, 
	tries INTEGER NOT NULL, 
	fencing INTEGER NOT NULL, 
	started_at DATETIME, 
	ended_at DATETIME, 
	again_at DATETIME, 
	words TEXT NOT NULL, 
	CONSTRAINT pk_slots PRIMARY KEY (job, slot), 
	CONSTRAINT ck_slots_state CHECK (state IN ('running', 'retry', 'asked', 'done', 'failed', 'skipped'))
);
CREATE TABLE steps (
	name VARCHAR(100) NOT NULL, 
	seconds FLOAT NOT NULL, 
	times INTEGER NOT NULL, 
	CONSTRAINT pk_steps PRIMARY KEY (name)
);
CREATE TABLE tombstones (
	"key" VARCHAR(32) NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_tombstones PRIMARY KEY ("key")
);
CREATE TABLE verses (
	id INTEGER NOT NULL, 
	digest VARCHAR(32) NOT NULL, 
	state VARCHAR(10) NOT NULL, 
	reason VARCHAR(40) NOT NULL, 
	lines TEXT NOT NULL, 
	syllables VARCHAR(40) NOT NULL, 
	form VARCHAR(10) NOT NULL, 
	season VARCHAR(20) NOT NULL, 
	source VARCHAR(20) NOT NULL, 
	origin TEXT NOT NULL, 
	licence TEXT NOT NULL, 
	subreddit VARCHAR(100) NOT NULL, 
	external_id VARCHAR(200) NOT NULL, 
	created_at DATETIME, 
	score INTEGER, 
	author TEXT NOT NULL, 
	CONSTRAINT pk_verses PRIMARY KEY (id), 
	CONSTRAINT ck_verses_state CHECK (state IN ('kept', 'rejected', 'forgotten')), 
	CONSTRAINT uq_verses_digest UNIQUE (digest)
);
CREATE INDEX ix_drafts_state_id ON drafts (state, id);
CREATE INDEX ix_posts_state_due ON posts (state, due);
CREATE INDEX ix_journal_draft_id ON journal (draft_id);
CREATE INDEX ix_samples_post_id_at ON samples (post_id, at);
CREATE INDEX ix_audiences_channel_at ON audiences (channel, at);
CREATE INDEX ix_verses_state_id ON verses (state, id);
CREATE INDEX ix_sightings_digest ON sightings (digest);
CREATE INDEX ix_sightings_author ON sightings (author);
CREATE INDEX ix_slots_job_due ON slots (job, due);
CREATE INDEX ix_slots_state ON slots (state);
CREATE INDEX ix_notices_next_at ON notices (next_at);
COMMIT;
