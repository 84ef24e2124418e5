BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0004');
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
INSERT INTO "analysis" VALUES(1,1,'41604f46189c4edd3af7a6fadbc25de39202888c71e12511ee5a889bc25e2247','done','{"weighting": "number", "crystallinity_certainty": 0.8, "border_weighted": false}','Ann','2026-11-30 18:30:55.387438','2026-11-30 18:31:38.223738');
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
INSERT INTO "analysis_image" VALUES(1,1,'237c5bb9ad8b24ad56ee6d920213cb1217c27d63421339ffdeb52794a299809e','done','',0,0,'2026-11-30 18:31:34.021885');
INSERT INTO "analysis_image" VALUES(1,2,'466a39e88fcf273db11d67b5f502ec5656756eeae96fc4b7658b36da6a4e726a','done','',0,0,'2026-11-30 18:31:37.791550');
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
INSERT INTO "edit" VALUES(1,'2026-11-30 18:30:42.899324','Ann','create sample','sample',1,1,'{}','{"name": "viewed", "material": "gold", "batch": "", "synthesis_date": null, "operator": "", "notes": "", "properties": {}}','');
INSERT INTO "edit" VALUES(2,'2026-11-30 18:30:49.608584','Ann','add micrograph','micrograph',1,1,'{}','{"filename": "viewed-0.tif", "sha256": "2d0d76fa5ba8741f1e0b9f2e44a773cda1a7644c0dd91d1662f900dd501d9bec", "file_pixel_size_nm": 0.03}','');
INSERT INTO "edit" VALUES(3,'2026-11-30 18:30:54.576433','Ann','add micrograph','micrograph',2,1,'{}','{"filename": "viewed-1.tif", "sha256": "12658c41d550a381f67a04f6bf9b5c24ddeb4c70e70f874087a547557696167b", "file_pixel_size_nm": 0.03}','');
INSERT INTO "edit" VALUES(4,'2026-11-30 18:30:56.355752','Ann','start job','job',1,1,'{}','{"analysis_id": 1, "recipe": {"model": "default", "threshold": null, "polarity": "auto", "separation": "uecs", "convention": "contour", "min_diameter_nm": 0.5, "min_area_px": 12, "hole_diameter_nm": 0.5, "drop_border": true, "leave_out_annotations": true, "convexity_threshold": 0.95, "marker_diameter_nm": 0.5, "marker_area_px": 30, "convexity_lower_bound": 0.5, "max_holes": 10, "watershed_depth_px": 1.0, "crystallinity": true, "crystallinity_model": "default"}}','');
INSERT INTO "edit" VALUES(5,'2026-11-30 18:31:38.544390','Ann','show analysis','analysis',1,1,'{"current_analysis_id": null}','{"current_analysis_id": 1}','job 1 is done');
INSERT INTO "edit" VALUES(6,'2026-11-30 18:45:49.495370','anonymous','exclude particle','particle',1,1,'{"analysis_id": 1, "particle": 4, "status": "measured"}','{"analysis_id": 1, "particle": 4, "status": "excluded_by_user"}','wrong outline');
INSERT INTO "edit" VALUES(7,'2026-11-30 18:46:15.406303','anonymous','restore particle','particle',1,1,'{"analysis_id": 1, "particle": 4, "status": "excluded_by_user"}','{"analysis_id": 1, "particle": 4, "status": "measured"}','');
INSERT INTO "edit" VALUES(8,'2026-11-30 18:46:53.777983','anonymous','set pixel size','micrograph',1,1,'{"pixel_size_nm": 0.03, "source": "file: ImageJ unit and XResolution"}','{"pixel_size_nm": 0.031, "source": "user: anonymous"}','');
INSERT INTO "edit" VALUES(9,'2026-11-30 18:47:12.180930','anonymous','set pixel size','micrograph',1,1,'{"pixel_size_nm": 0.031, "source": "user: anonymous"}','{"pixel_size_nm": 0.03, "source": "file: ImageJ unit and XResolution"}','');
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
INSERT INTO "file_image" VALUES(1,0,'',320,320,'uint16',0.03,'file: ImageJ unit and XResolution','TIFF',1,'40736c3e2f22e8116bd04c006f7a539d2b1299ae4d72c64cf515771fd407d2d1');
INSERT INTO "file_image" VALUES(2,0,'',320,320,'uint16',0.03,'file: ImageJ unit and XResolution','TIFF',1,'6b79d37ba98d45e0a048975e761b4a936d67441cbd8b6cbb01bbc3e7c551291a');
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
	created_at DATETIME NOT NULL, data_index INTEGER, trust JSON, polarity VARCHAR, scales JSON, crystallinity_model JSON, 
	CONSTRAINT pk_image_result PRIMARY KEY ("key"), 
	CONSTRAINT fk_image_result_micrograph_id_micrograph FOREIGN KEY(micrograph_id) REFERENCES micrograph (id), 
	CONSTRAINT fk_image_result_recipe_fingerprint_recipe FOREIGN KEY(recipe_fingerprint) REFERENCES recipe (fingerprint)
);
INSERT INTO "image_result" VALUES('237c5bb9ad8b24ad56ee6d920213cb1217c27d63421339ffdeb52794a299809e',1,'41604f46189c4edd3af7a6fadbc25de39202888c71e12511ee5a889bc25e2247','2d0d76fa5ba8741f1e0b9f2e44a773cda1a7644c0dd91d1662f900dd501d9bec',0.03,'file: ImageJ unit and XResolution','{"name": "drawn", "sha256": "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd", "threshold": 0.5}','4',4,0,'{"model": 0.00016576000007262337, "segmentation": 0.18802629900028478, "cleaning": 23.838472288000048, "separation": 2.445336776000204, "measuring": 1.9966604810001627, "crystallinity": 0.27938435799978834}','[]','','353c7402e94ef58b0e799ca459dd287d0b5e75bc7d6c317da98958e994502124','2026-11-30 18:31:33.822317',NULL,NULL,'dark','[1.0]','{"name": "drawn-classes", "sha256": "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"}');
INSERT INTO "image_result" VALUES('466a39e88fcf273db11d67b5f502ec5656756eeae96fc4b7658b36da6a4e726a',2,'41604f46189c4edd3af7a6fadbc25de39202888c71e12511ee5a889bc25e2247','12658c41d550a381f67a04f6bf9b5c24ddeb4c70e70f874087a547557696167b',0.03,'file: ImageJ unit and XResolution','{"name": "drawn", "sha256": "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd", "threshold": 0.5}','4',4,0,'{"model": 1.1881999853358138e-05, "segmentation": 0.2786166040000353, "cleaning": 0.0006024750000506174, "separation": 0.21540695400017285, "measuring": 0.6570942650000688, "crystallinity": 0.43017884200025946}','[]','','2ef0c0d4195d291d774f7020fd5760d2864aa3fa0b50afd730e8d9c1ee2427c1','2026-11-30 18:31:37.790374',NULL,NULL,'dark','[1.0]','{"name": "drawn-classes", "sha256": "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"}');
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
	error VARCHAR NOT NULL, current_share DOUBLE, 
	CONSTRAINT pk_job PRIMARY KEY (id), 
	CONSTRAINT fk_job_analysis_id_analysis FOREIGN KEY(analysis_id) REFERENCES analysis (id), 
	CONSTRAINT fk_job_created_by_user FOREIGN KEY(created_by) REFERENCES user (name)
);
INSERT INTO "job" VALUES(1,1,'done','Ann','2026-11-30 18:30:56.204024','2026-11-30 18:30:56.204025',NULL,'2026-11-30 18:31:38.223738','2026-11-30 18:31:38.223686',28376,'host','',0,2,0,0,0,0,0,'',NULL,'',NULL);
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
INSERT INTO "micrograph" VALUES(1,1,'viewed-0.tif','2d0d76fa5ba8741f1e0b9f2e44a773cda1a7644c0dd91d1662f900dd501d9bec',320,320,'uint16',0.03,'file: ImageJ unit and XResolution',NULL,NULL,'{"format": "TIFF"}',NULL,'4146a181002f607a469446bc4a2c6fa340e2f4ee45f898717a9ce790675cdcfb','40736c3e2f22e8116bd04c006f7a539d2b1299ae4d72c64cf515771fd407d2d1','Ann','2026-11-30 18:30:49.304452',NULL,NULL,'{"scale_bar": null, "boxes": []}',NULL);
INSERT INTO "micrograph" VALUES(2,1,'viewed-1.tif','12658c41d550a381f67a04f6bf9b5c24ddeb4c70e70f874087a547557696167b',320,320,'uint16',0.03,'file: ImageJ unit and XResolution',NULL,NULL,'{"format": "TIFF"}',NULL,'b350f02c5b01499f629f95948b00deff0644fb6f1e6c044e698a12a6c5ee2a35','6b79d37ba98d45e0a048975e761b4a936d67441cbd8b6cbb01bbc3e7c551291a','Ann','2026-11-30 18:30:54.295562',NULL,NULL,'{"scale_bar": null, "boxes": []}',NULL);
CREATE TABLE recipe (
	fingerprint VARCHAR(64) NOT NULL, 
	parameters JSON NOT NULL, 
	first_used_at DATETIME NOT NULL, 
	CONSTRAINT pk_recipe PRIMARY KEY (fingerprint)
);
INSERT INTO "recipe" VALUES('41604f46189c4edd3af7a6fadbc25de39202888c71e12511ee5a889bc25e2247','{"model": "default", "threshold": null, "polarity": "auto", "separation": "uecs", "convention": "contour", "min_diameter_nm": 0.5, "min_area_px": 12, "hole_diameter_nm": 0.5, "drop_border": true, "leave_out_annotations": true, "convexity_threshold": 0.95, "marker_diameter_nm": 0.5, "marker_area_px": 30, "convexity_lower_bound": 0.5, "max_holes": 10, "watershed_depth_px": 1.0, "crystallinity": true, "crystallinity_model": "default"}','2026-11-30 18:30:55.076789');
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
INSERT INTO "sample" VALUES(1,'viewed','gold','',NULL,'','','{}',0,'Ann','2026-11-30 18:30:42.712060',1);
CREATE TABLE user (
	name VARCHAR(200) NOT NULL, 
	first_seen DATETIME NOT NULL, 
	last_seen DATETIME NOT NULL, 
	CONSTRAINT pk_user PRIMARY KEY (name)
);
INSERT INTO "user" VALUES('Ann','2026-11-30 18:30:42.400780','2026-11-30 18:31:38.544355');
INSERT INTO "user" VALUES('anonymous','2026-11-30 18:45:49.405813','2026-11-30 18:47:12.179594');
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
