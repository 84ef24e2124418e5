BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
CREATE TABLE analysis (
	id INTEGER NOT NULL, 
	sample_id INTEGER NOT NULL, 
	recipe_fingerprint VARCHAR(64) NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	"view" JSON NOT NULL, 
	created_by VARCHAR(200) NOT NULL, 
	created_at DATETIME NOT NULL, 
	finished_at DATETIME, 
	CONSTRAINT pk_analysis PRIMARY KEY (id), 
	CONSTRAINT fk_analysis_created_by_user FOREIGN KEY(created_by) REFERENCES user (name), 
	CONSTRAINT fk_analysis_recipe_fingerprint_recipe FOREIGN KEY(recipe_fingerprint) REFERENCES recipe (fingerprint), 
	CONSTRAINT fk_analysis_sample_id_sample FOREIGN KEY(sample_id) REFERENCES sample (id)
);
INSERT INTO "analysis" VALUES(1,1,'1ba131ee38105f061808b12e79ca5652aeefab4a07d4528930dff53af95e7d46','done','{"weighting": "number", "crystallinity_certainty": 0.8, "border_weighted": false}','Ann','2026-11-21 15:06:28.613918','2026-11-21 15:06:33.470230');
CREATE TABLE analysis_image (
	analysis_id INTEGER NOT NULL, 
	micrograph_id INTEGER NOT NULL, 
	result_key VARCHAR(64), 
	status VARCHAR(20) NOT NULL, 
	error VARCHAR NOT NULL, 
	attempts INTEGER NOT NULL, 
	reused BOOLEAN NOT NULL, 
	updated_at DATETIME NOT NULL, 
	CONSTRAINT pk_analysis_image PRIMARY KEY (analysis_id, micrograph_id), 
	CONSTRAINT fk_analysis_image_analysis_id_analysis FOREIGN KEY(analysis_id) REFERENCES analysis (id), 
	CONSTRAINT fk_analysis_image_micrograph_id_micrograph FOREIGN KEY(micrograph_id) REFERENCES micrograph (id), 
	CONSTRAINT fk_analysis_image_result_key_image_result FOREIGN KEY(result_key) REFERENCES image_result ("key")
);
INSERT INTO "analysis_image" VALUES(1,1,'f516e2457488a385521f9151abf7b5277a9f4250ed0ec3602289ed7f5295a05a','done','',0,0,'2026-11-21 15:06:33.437303');
INSERT INTO "analysis_image" VALUES(1,2,NULL,'failed','the file is truncated',0,0,'2026-11-21 15:06:33.466172');
CREATE TABLE edit (
	id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	who VARCHAR(200) NOT NULL, 
	what VARCHAR(60) NOT NULL, 
	target VARCHAR(20) NOT NULL, 
	target_id INTEGER NOT NULL, 
	sample_id INTEGER, 
	"before" JSON NOT NULL, 
	"after" JSON NOT NULL, 
	why VARCHAR NOT NULL, 
	CONSTRAINT pk_edit PRIMARY KEY (id), 
	CONSTRAINT fk_edit_sample_id_sample FOREIGN KEY(sample_id) REFERENCES sample (id), 
	CONSTRAINT fk_edit_who_user FOREIGN KEY(who) REFERENCES user (name)
);
INSERT INTO "edit" VALUES(1,'2026-11-21 15:06:28.371796','Ann','create sample','sample',1,1,'{}','{"name": "Au 2 nm", "material": "", "batch": "", "synthesis_date": null, "operator": "", "notes": "", "properties": {}}','');
INSERT INTO "edit" VALUES(2,'2026-11-21 15:06:28.513573','Ann','add micrograph','micrograph',1,1,'{}','{"filename": "image-1.tif", "sha256": "0f7dbfd7996922f611202afaf02b48562673e5f308ed5328d780dac4bd2a539e", "file_pixel_size_nm": 0.1}','');
INSERT INTO "edit" VALUES(3,'2026-11-21 15:06:28.578471','Ann','add micrograph','micrograph',2,1,'{}','{"filename": "image-2.tif", "sha256": "3a72e412fe22761ca27b46e03f7a73b6a104a88b1fde5574a99dad0b25f92aef", "file_pixel_size_nm": 0.1}','');
INSERT INTO "edit" VALUES(4,'2026-11-21 15:06:28.629363','Ann','start job','job',1,1,'{}','{"analysis_id": 1, "recipe": {"model": "default", "threshold": 0.5, "separation": "uecs", "convention": "contour", "min_diameter_nm": 0.5, "min_area_px": 12, "hole_diameter_nm": 0.5, "drop_border": true, "leave_out_annotations": true, "convexity_threshold": 0.95, "marker_diameter_nm": 0.5, "marker_area_px": 30, "convexity_lower_bound": 0.5, "max_holes": 10, "watershed_depth_px": 1.0, "crystallinity": true}}','');
INSERT INTO "edit" VALUES(5,'2026-11-21 15:06:33.472000','Ann','show analysis','analysis',1,1,'{"current_analysis_id": null}','{"current_analysis_id": 1}','job 1 is done');
CREATE TABLE exclusion (
	result_key VARCHAR(64) NOT NULL, 
	particle INTEGER NOT NULL, 
	reason VARCHAR NOT NULL, 
	excluded_by VARCHAR(200) NOT NULL, 
	excluded_at DATETIME NOT NULL, 
	CONSTRAINT pk_exclusion PRIMARY KEY (result_key, particle), 
	CONSTRAINT fk_exclusion_excluded_by_user FOREIGN KEY(excluded_by) REFERENCES user (name), 
	CONSTRAINT fk_exclusion_result_key_image_result FOREIGN KEY(result_key) REFERENCES image_result ("key")
);
CREATE TABLE file_image (
	micrograph_id INTEGER NOT NULL, 
	data_index INTEGER NOT NULL, 
	title VARCHAR NOT NULL, 
	height INTEGER NOT NULL, 
	width INTEGER NOT NULL, 
	dtype VARCHAR NOT NULL, 
	pixel_size_nm DOUBLE, 
	pixel_size_source VARCHAR NOT NULL, 
	format VARCHAR NOT NULL, 
	is_default BOOLEAN NOT NULL, 
	display_sha256 VARCHAR(64), 
	CONSTRAINT pk_file_image PRIMARY KEY (micrograph_id, data_index), 
	CONSTRAINT fk_file_image_micrograph_id_micrograph FOREIGN KEY(micrograph_id) REFERENCES micrograph (id)
);
CREATE TABLE image_result (
	"key" VARCHAR(64) NOT NULL, 
	micrograph_id INTEGER NOT NULL, 
	recipe_fingerprint VARCHAR(64) NOT NULL, 
	image_sha256 VARCHAR(64) NOT NULL, 
	pixel_size_nm DOUBLE NOT NULL, 
	pixel_size_source VARCHAR NOT NULL, 
	model JSON NOT NULL, 
	algorithm_version VARCHAR NOT NULL, 
	n_measured INTEGER NOT NULL, 
	n_dropped INTEGER NOT NULL, 
	seconds JSON NOT NULL, 
	notes JSON NOT NULL, 
	overlay_sha256 VARCHAR(64) NOT NULL, 
	segmentation_sha256 VARCHAR(64) NOT NULL, 
	created_at DATETIME NOT NULL, data_index INTEGER, 
	CONSTRAINT pk_image_result PRIMARY KEY ("key"), 
	CONSTRAINT fk_image_result_micrograph_id_micrograph FOREIGN KEY(micrograph_id) REFERENCES micrograph (id), 
	CONSTRAINT fk_image_result_recipe_fingerprint_recipe FOREIGN KEY(recipe_fingerprint) REFERENCES recipe (fingerprint)
);
INSERT INTO "image_result" VALUES('f516e2457488a385521f9151abf7b5277a9f4250ed0ec3602289ed7f5295a05a',1,'1ba131ee38105f061808b12e79ca5652aeefab4a07d4528930dff53af95e7d46','0f7dbfd7996922f611202afaf02b48562673e5f308ed5328d780dac4bd2a539e',0.1,'file: a tag','{"name": "threshold", "sha256": "5555555555555555555555555555555555555555555555555555555555555555", "threshold": 0.5}','2',3,0,'{"model": 4.90999809699133e-07, "segmentation": 3.7398165929989773, "cleaning": 0.677948431999539, "separation": 0.08002884200141125, "measuring": 0.07138488000055077}','[]','','5705262f8353c796ea265314eb5cc9c6bb03f7c33bc374f1a368b7309da2e0ce','2026-11-21 15:06:33.432038',NULL);
CREATE TABLE job (
	id INTEGER NOT NULL, 
	analysis_id INTEGER NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	created_by VARCHAR(200) NOT NULL, 
	created_at DATETIME NOT NULL, 
	queued_at DATETIME NOT NULL, 
	started_at DATETIME, 
	finished_at DATETIME, 
	heartbeat_at DATETIME, 
	pid INTEGER, 
	host VARCHAR, 
	device VARCHAR NOT NULL, 
	cancel_requested BOOLEAN NOT NULL, 
	images_total INTEGER NOT NULL, 
	images_done INTEGER NOT NULL, 
	images_failed INTEGER NOT NULL, 
	images_reused INTEGER NOT NULL, 
	images_skipped INTEGER NOT NULL, 
	particles INTEGER NOT NULL, 
	current_image VARCHAR NOT NULL, 
	seconds_per_image DOUBLE, 
	error VARCHAR NOT NULL, 
	CONSTRAINT pk_job PRIMARY KEY (id), 
	CONSTRAINT fk_job_analysis_id_analysis FOREIGN KEY(analysis_id) REFERENCES analysis (id), 
	CONSTRAINT fk_job_created_by_user FOREIGN KEY(created_by) REFERENCES user (name)
);
INSERT INTO "job" VALUES(1,1,'done','Ann','2026-11-21 15:06:28.615299','2026-11-21 15:06:28.615300','2026-11-21 15:06:28.669576','2026-11-21 15:06:33.470230','2026-11-21 15:06:33.470199',5105,'vm','',0,2,2,1,0,0,3,'',NULL,'');
CREATE TABLE micrograph (
	id INTEGER NOT NULL, 
	sample_id INTEGER NOT NULL, 
	filename VARCHAR NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	height INTEGER NOT NULL, 
	width INTEGER NOT NULL, 
	dtype VARCHAR NOT NULL, 
	file_pixel_size_nm DOUBLE, 
	file_pixel_size_source VARCHAR NOT NULL, 
	user_pixel_size_nm DOUBLE, 
	user_pixel_size_by VARCHAR(200), 
	microscope JSON NOT NULL, 
	left_out_reason VARCHAR, 
	thumbnail_sha256 VARCHAR(64) NOT NULL, 
	display_sha256 VARCHAR(64) NOT NULL, 
	added_by VARCHAR(200) NOT NULL, 
	added_at DATETIME NOT NULL, user_pixel_size_at DATETIME, data_index INTEGER, annotations JSON, annotations_error VARCHAR, 
	CONSTRAINT pk_micrograph PRIMARY KEY (id), 
	CONSTRAINT fk_micrograph_added_by_user FOREIGN KEY(added_by) REFERENCES user (name), 
	CONSTRAINT fk_micrograph_sample_id_sample FOREIGN KEY(sample_id) REFERENCES sample (id), 
	CONSTRAINT fk_micrograph_user_pixel_size_by_user FOREIGN KEY(user_pixel_size_by) REFERENCES user (name), 
	CONSTRAINT uq_micrograph_sha256 UNIQUE (sha256)
);
INSERT INTO "micrograph" VALUES(1,1,'image-1.tif','0f7dbfd7996922f611202afaf02b48562673e5f308ed5328d780dac4bd2a539e',96,96,'uint8',0.1,'file: a tag',NULL,NULL,'{"voltage_kv": 200.0}',NULL,'1bb599e8206bf767e8b07f9f71b318a39e3f1e4c769764076c170a969a825b31','6b34122d6298afecb488c362cd2d63e0522ae0d9e623fab2a13e186850ade8cd','Ann','2026-11-21 15:06:28.505440',NULL,NULL,NULL,NULL);
INSERT INTO "micrograph" VALUES(2,1,'image-2.tif','3a72e412fe22761ca27b46e03f7a73b6a104a88b1fde5574a99dad0b25f92aef',96,96,'uint8',0.1,'file: a tag',NULL,NULL,'{"voltage_kv": 200.0}',NULL,'94b67147ee0b260cc95f524f48ceae4f2cd8da554c68c4140c6dcf997d7cbdc4','2f5a6c8beb59cbad13dae58bc23e03bcf6c2b9c4cdf0736d6d1dd22145ef37b1','Ann','2026-11-21 15:06:28.577341',NULL,NULL,NULL,NULL);
CREATE TABLE recipe (
	fingerprint VARCHAR(64) NOT NULL, 
	parameters JSON NOT NULL, 
	first_used_at DATETIME NOT NULL, 
	CONSTRAINT pk_recipe PRIMARY KEY (fingerprint)
);
INSERT INTO "recipe" VALUES('1ba131ee38105f061808b12e79ca5652aeefab4a07d4528930dff53af95e7d46','{"model": "default", "threshold": 0.5, "separation": "uecs", "convention": "contour", "min_diameter_nm": 0.5, "min_area_px": 12, "hole_diameter_nm": 0.5, "drop_border": true, "leave_out_annotations": true, "convexity_threshold": 0.95, "marker_diameter_nm": 0.5, "marker_area_px": 30, "convexity_lower_bound": 0.5, "max_holes": 10, "watershed_depth_px": 1.0, "crystallinity": true}','2026-11-21 15:06:28.606809');
CREATE TABLE sample (
	id INTEGER NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	material VARCHAR NOT NULL, 
	batch VARCHAR NOT NULL, 
	synthesis_date DATE, 
	operator VARCHAR NOT NULL, 
	notes VARCHAR NOT NULL, 
	properties JSON NOT NULL, 
	archived BOOLEAN NOT NULL, 
	created_by VARCHAR(200) NOT NULL, 
	created_at DATETIME NOT NULL, 
	current_analysis_id INTEGER, 
	CONSTRAINT pk_sample PRIMARY KEY (id), 
	CONSTRAINT fk_sample_created_by_user FOREIGN KEY(created_by) REFERENCES user (name), 
	CONSTRAINT fk_sample_current_analysis_id_analysis FOREIGN KEY(current_analysis_id) REFERENCES analysis (id), 
	CONSTRAINT uq_sample_name UNIQUE (name)
);
INSERT INTO "sample" VALUES(1,'Au 2 nm','','',NULL,'','','{}',0,'Ann','2026-11-21 15:06:28.370608',1);
CREATE TABLE user (
	name VARCHAR(200) NOT NULL, 
	first_seen DATETIME NOT NULL, 
	last_seen DATETIME NOT NULL, 
	CONSTRAINT pk_user PRIMARY KEY (name)
);
INSERT INTO "user" VALUES('Ann','2026-11-21 15:06:28.365670','2026-11-21 15:06:33.471987');
CREATE INDEX ix_analysis_sample_id ON analysis (sample_id);
CREATE INDEX ix_edit_sample_id ON edit (sample_id);
CREATE INDEX ix_micrograph_sample_id ON micrograph (sample_id);
CREATE INDEX ix_image_result_micrograph_id ON image_result (micrograph_id);
CREATE INDEX ix_job_analysis_id ON job (analysis_id);
CREATE INDEX ix_job_status ON job (status);
CREATE INDEX ix_analysis_image_micrograph_id ON analysis_image (micrograph_id);
CREATE TRIGGER edit_no_update BEFORE UPDATE ON edit BEGIN SELECT RAISE(ABORT, 'an edit is kept as it was written'); END;
CREATE TRIGGER edit_no_delete BEFORE DELETE ON edit BEGIN SELECT RAISE(ABORT, 'an edit is kept as it was written'); END;
COMMIT;
