package config

import "time"

// key is one thing that can be set.
type key struct {
	name    string   // as in the YAML file: section.key
	aliases []string // other names of the same
	value   func(*Config) any
	values  string // the values allowed, separated by |, or empty
	help    string
	// pending is not empty when the feature is not part of this version: setting the key
	// is an error that says so.
	pending string
}

// none is the place of a key whose feature is pending.
func none(*Config) any { return new(string) }

// keys is the one table. Order is that of the sample file.
func keys() []key {
	return []key{
		{name: "server.ae_title", value: func(c *Config) any { return &c.Server.AETitle }, help: "AE title that callers must name"},
		{name: "server.bind", value: func(c *Config) any { return &c.Server.Bind }, help: "address to listen on; 0.0.0.0 opens the archive to the network"},
		{name: "server.port", value: func(c *Config) any { return &c.Server.Port }, help: "DICOM port"},
		{name: "server.max_associations", value: func(c *Config) any { return &c.Server.MaxAssociations }, help: "associations at a time"},
		{name: "server.max_associations_per_host", value: func(c *Config) any { return &c.Server.MaxPerHost }, help: "associations at a time from one address"},
		{name: "server.max_pdu", value: func(c *Config) any { return &c.Server.MaxPDU }, help: "longest PDU accepted, bytes"},
		{name: "server.async_window", value: func(c *Config) any { return &c.Server.Window }, help: "operations at a time on one association where the caller negotiates an asynchronous window, and proposed where the archive sends; 1: never more than one"},
		{name: "server.idle_timeout", aliases: []string{"server.idle_timeout_seconds"}, value: func(c *Config) any { return &c.Server.IdleTimeout }, help: "an association without work for so long is ended; seconds, or 90s, 5m"},
		{name: "server.shutdown_timeout", value: func(c *Config) any { return &c.Server.ShutdownTimeout }, help: "how long work under way may take to end at shutdown"},
		{name: "server.check_called_ae", value: func(c *Config) any { return &c.Server.CheckCalledAE }, help: "refuse callers that name another AE title"},
		{name: "server.unknown_ae", value: func(c *Config) any { return &c.Server.UnknownAE }, values: "refuse|echo|quarantine|serve", help: "what callers may do that are no peer: nothing, echo, store what is held until released over HTTP (/quarantine), everything; empty: serve on loopback, else echo"},
		{name: "server.accept_unknown_classes", value: func(c *Config) any { return &c.Server.UnknownClasses }, help: "keep objects of SOP classes that the dictionary does not have, private ones too"},
		{name: "server.transfer_syntaxes", value: func(c *Config) any { return &c.Server.Syntaxes }, help: "UIDs or keywords of transfer syntaxes in the order preferred; empty: the caller's order, Implicit VR and Big Endian last"},
		{name: "server.tls.enabled", aliases: []string{"tls.enabled"}, value: func(c *Config) any { return &c.TLS.Enabled }, help: "listen for TLS too"},
		{name: "server.tls.port", aliases: []string{"tls.port"}, value: func(c *Config) any { return &c.TLS.Port }, help: "DICOM port for TLS"},
		{name: "server.tls.certificate", aliases: []string{"tls.cert_path"}, value: func(c *Config) any { return &c.TLS.CertPath }, help: "certificate chain, PEM file"},
		{name: "server.tls.private_key", aliases: []string{"tls.key_path"}, value: func(c *Config) any { return &c.TLS.KeyPath }, help: "private key, PEM file"},
		{name: "server.tls.ca_certificate", aliases: []string{"tls.ca_path"}, value: func(c *Config) any { return &c.TLS.CAPath }, help: "who signs the certificates of callers, PEM file"},
		{name: "server.tls.require_client_cert", value: func(c *Config) any { return &c.TLS.RequireClientCert }, help: "refuse callers without a certificate"},
		{name: "server.tls.min_version", value: func(c *Config) any { return &c.TLS.MinVersion }, values: "1.2|1.3", help: "oldest TLS version"},
		{name: "storage.directory", aliases: []string{"storage.root_path"}, value: func(c *Config) any { return &c.Storage.Directory }, help: "folder of objects and index"},
		{name: "storage.layout", value: func(c *Config) any { return &c.Storage.Layout }, values: "log|plain", help: "log: objects in TAR segments; plain: a file each. A naming chooses plain"},
		{name: "storage.naming", aliases: []string{"storage.naming_scheme"}, value: func(c *Config) any { return &c.Storage.Naming }, values: "hierarchical|date_hierarchical|flat|uid_hierarchical|date_based|uid_flat", help: "file names of the plain layout"},
		{name: "storage.duplicate_policy", value: func(c *Config) any { return &c.Storage.DuplicatePolicy }, values: "keep|reject|ignore|replace|rename", help: "another object under a SOP Instance UID: keep both and flag it (rename is the same), refuse, drop, or make the new one current"},
		{name: "storage.pack_max", value: func(c *Config) any { return &c.Storage.PackMax }, help: "objects above this many bytes are files of their own, also in the log layout"},
		{name: "storage.min_free", value: func(c *Config) any { return &c.Storage.MinFree }, help: "storing is refused when fewer bytes are free on the disk; 0 is the larger of 1 GiB and 1 %"},
		{name: "storage.undo_window", value: func(c *Config) any { return &c.Storage.UndoWindow }, help: "how long a deletion can be undone before it is final, in time that the server runs; 0 makes it final at once"},
		{name: "storage.scrub_rate", value: func(c *Config) any { return &c.Storage.ScrubRate }, help: "MB a second that stored objects are read again with, to find damage; a quarter of it while senders are at work; 0: never"},
		{name: "storage.scrub_every", value: func(c *Config) any { return &c.Storage.ScrubEvery }, help: "time from the end of one round over all objects to the next; 0: never"},
		{name: "storage.compact_every", value: func(c *Config) any { return &c.Storage.CompactEvery }, help: "how often segments of the log are looked for that are mostly made of purged objects, to be rewritten without them; 0: never"},
		{name: "storage.compact_rate", value: func(c *Config) any { return &c.Storage.CompactRate }, help: "MB a second that they are rewritten with; 0: never"},
		{name: "storage.migrate", value: func(c *Config) any { return &c.Storage.Migrate }, help: "bring objects that are stored in another storage.layout into this one, while the archive is at work"},
		{name: "storage.repair_from", value: func(c *Config) any { return &c.Storage.RepairFrom }, help: "folder of a gantry backup from which damaged objects are mended"},
		{name: "archive.settle", value: func(c *Config) any { return &c.Archive.Settle }, help: "a study is taken to be complete when nothing of it came for so long; what comes later completes it again; 0: never"},
		{name: "database.path", aliases: []string{"storage.database.path"}, value: func(c *Config) any { return &c.Database.Path }, help: "index file; empty: index.db in the storage folder"},
		{name: "database.wal_mode", value: func(c *Config) any { return &c.Database.WALMode }, help: "the index always has a write-ahead log: false is an error"},
		{name: "index.sync", value: func(c *Config) any { return &c.Index.Sync }, values: "full|log", help: "full: each change of the index is synced to the disk; log: only the objects' log is, and the index is brought up to date from it after a power cut. That is faster where the disk is slow to sync"},
		{name: "index.extra_attributes", value: func(c *Config) any { return &c.Index.ExtraAttributes }, help: "keywords or tags (gggg,eeee) that are searched as fast as the usual keys; of objects that are here already they are gathered in the background"},
		{name: "query.max_rows", value: func(c *Config) any { return &c.Query.MaxRows }, help: "entries that a query may look at in vain; then it is too broad"},
		{name: "query.max_time", value: func(c *Config) any { return &c.Query.MaxTime }, help: "time that a query may search in vain; then it is too broad"},
		{name: "query.deadline", value: func(c *Config) any { return &c.Query.Deadline }, help: "time that a query may take from its request to its last answer"},
		{name: "query.parallel", value: func(c *Config) any { return &c.Query.Parallel }, help: "queries that search the index at a time; those of high priority go first"},
		{name: "logging.level", value: func(c *Config) any { return &c.Logging.Level }, values: "trace|debug|info|warning|error|critical", help: "least important messages to log"},
		{name: "logging.file", value: func(c *Config) any { return &c.Logging.File }, help: "file to append messages to"},
		{name: "logging.console", value: func(c *Config) any { return &c.Logging.Console }, help: "log to standard error"},
		{name: "access_control.allowed_ae_titles", aliases: []string{"security.allowed_ae_titles"}, value: func(c *Config) any { return &c.Access.AllowedAETitles }, help: "calling AE titles that may do everything, * and ? allowed; empty: see server.unknown_ae"},
		{name: "http.address", value: func(c *Config) any { return &c.HTTP.Address }, help: "host:port for health and metrics; empty for none"},
		{name: "http.auth", value: func(c *Config) any { return &c.HTTP.Auth }, help: "ask HTTP clients for the token in the storage folder; off only on loopback"},
		{name: "monitoring.enabled", aliases: []string{"monitoring.metrics_enabled"}, value: func(c *Config) any { return &c.Monitoring.Enabled }, help: "serve metrics on a port of their own"},
		{name: "monitoring.metrics_port", value: func(c *Config) any { return &c.Monitoring.MetricsPort }, help: "that port"},
		{name: "monitoring.health_check_interval_seconds", value: func(c *Config) any { return &c.Monitoring.HealthInterval }, help: "how often health is looked at"},
		{name: "patient.default_issuer", value: func(c *Config) any { return &c.Patient.DefaultIssuer }, help: "Issuer of Patient ID where neither object nor peer has one"},
		{name: "peers", value: func(c *Config) any { return &c.Peers }, help: "application entities: AE:host:port, or ae, host, port, issuer, tls, syntaxes (preferred for what it sends), send_syntaxes (what it is sent, before the stored one), store_as (what is kept of it, without loss), derive and derive_quality (another object made of each image, with loss)"},

		{name: "security.access_control.enabled", value: none, pending: "roles for AE titles"},
		{name: "security.access_control.default_role", value: none, pending: "roles for AE titles"},
		{name: "security.anonymization.auto_anonymize", value: none, pending: "de-identification"},
		{name: "security.anonymization.profile", value: none, pending: "de-identification"},
		{name: "rest_api.enabled", value: none, pending: "the REST interface"},
		{name: "rest_api.port", value: none, pending: "the REST interface"},
		{name: "rest_api.cors_enabled", value: none, pending: "the REST interface"},
		{name: "logging.audit_log_path", value: none, pending: "the audit log"},
	}
}

// Default returns the configuration that serves with nothing set.
func Default() *Config {
	return &Config{
		Server: Server{AETitle: "GANTRY", Bind: "127.0.0.1", Port: 11112, MaxAssociations: 1000, MaxPerHost: 100,
			MaxPDU: 1 << 18, Window: 8, IdleTimeout: 5 * time.Minute, ShutdownTimeout: 30 * time.Second, CheckCalledAE: true, UnknownClasses: true},
		TLS:        TLS{Port: 2762, MinVersion: "1.2"},
		Index:      Index{Sync: "full"},
		Storage:    Storage{Directory: "./gantry-data", DuplicatePolicy: "keep", PackMax: 4 << 20, UndoWindow: 7 * 24 * time.Hour, ScrubRate: 8, ScrubEvery: 30 * 24 * time.Hour, CompactEvery: 24 * time.Hour, CompactRate: 20},
		Archive:    Archive{Settle: time.Minute},
		Database:   Database{WALMode: true},
		Query:      Query{MaxRows: 50_000, MaxTime: 2 * time.Second, Deadline: 10 * time.Minute, Parallel: 4},
		Logging:    Logging{Level: "info", Console: true},
		HTTP:       HTTP{Address: "127.0.0.1:8042", Auth: true},
		Monitoring: Monitoring{MetricsPort: 9090, HealthInterval: 30 * time.Second},
	}
}
