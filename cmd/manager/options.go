// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"strings"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/controllers"
	"github.com/ow-kai/ascend-operator/internal/anchor"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/certs"
	"github.com/ow-kai/ascend-operator/internal/keyring"
)

// Options are the flags of the operator.
type Options struct {
	MetricsAddress          string
	ProbeAddress            string
	WebhookAddress          string
	WebhookHosts            string // separated by commas, see webhookHosts
	WebhookCertDir          string
	WebhookClientCAFile     string
	WebhookClientName       string
	SealKeyMaxAge           time.Duration
	LeaderElect             bool
	LeaderElectionNamespace string
	LeaseDuration           time.Duration
	RenewDeadline           time.Duration
	RetryPeriod             time.Duration
	AuditLog                string
	AuditLogMaxSize         int // MiB
	AuditLogMaxFiles        int
	AuditOTLPEndpoint       string
	AuditOTLPHeadersFile    string
	AuditOTLPCAFile         string
	AuditOnFailure          string
	AuditSinkTimeout        time.Duration
	AuditAnchorInterval     time.Duration
	AuditRequests           bool
	AuditRedactKeys         string
	ApprovalURL             string
	Workers                 int
	CollectInterval         time.Duration
	ShutdownTimeout         time.Duration
}

// bind registers the flags with their defaults.
func (o *Options) bind(flags *flag.FlagSet) {
	o.bindServing(flags)
	o.bindWebhooks(flags)
	o.bindLeaderElection(flags)
	o.bindAudit(flags)
	flags.StringVar(&o.ApprovalURL, "approval-url", "",
		"`template` of status.approvalURL, such as https://ascend.example.com/{namespace}/{name}")
	flags.IntVar(&o.Workers, "workers", 16,
		"`number` of actions that are decided at once")
	flags.DurationVar(&o.CollectInterval, "collect-interval", controllers.CollectInterval,
		"`time` between two looks for decided actions whose ttlAfterDecision is over")
	flags.DurationVar(&o.ShutdownTimeout, "shutdown-timeout", 20*time.Second,
		"`time` that work in progress may take to finish after SIGTERM")
}

func (o *Options) bindAudit(flags *flag.FlagSet) {
	flags.StringVar(&o.AuditLog, "audit-log", "-",
		"`file` that audit records are appended to, one JSON line each, and synced; of this process alone.\n"+
			"- is standard output")
	flags.IntVar(&o.AuditLogMaxSize, "audit-log-max-size", 100,
		"`MiB` after which the file is put aside, as NAME-TIME.EXT, and another one begun; 0 never")
	flags.IntVar(&o.AuditLogMaxFiles, "audit-log-max-files", 0,
		"`number` of files put aside that are kept, the newest; 0 keeps all")
	flags.StringVar(&o.AuditOTLPEndpoint, "audit-otlp-endpoint", "",
		"`URL` of an OpenTelemetry collector that gets each record as well, by OTLP over HTTP, such as\n"+
			"https://collector.example.com:4318; without a path, /v1/logs is added")
	flags.StringVar(&o.AuditOTLPHeadersFile, "audit-otlp-headers-file", "",
		"`file` with the headers for it, NAME: VALUE a line; read for each request")
	flags.StringVar(&o.AuditOTLPCAFile, "audit-otlp-ca-file", "",
		"`file` with the certificate authority of the collector, in PEM; empty: those of the machine")
	flags.StringVar(&o.AuditOnFailure, "audit-on-failure", string(audit.Stop),
		"`what` becomes of decisions while records cannot be kept: stop, or continue without records, which are\n"+
			"lost and counted")
	flags.DurationVar(&o.AuditSinkTimeout, "audit-sink-timeout", audit.DefaultSinkTimeout,
		"`time` after which a write of records that has not ended counts as failed")
	flags.DurationVar(&o.AuditAnchorInterval, "audit-anchor-interval", anchor.Interval,
		"`time` between two signed checkpoints of the audit trail, kept in ConfigMap "+anchor.ConfigMapName)
	flags.BoolVar(&o.AuditRequests, "audit-requests", true,
		"keep in the audit log what was asked for: parameters, context and what else decided; false keeps that\n"+
			"out of it, and past actions can then be replayed from the cluster only")
	flags.StringVar(&o.AuditRedactKeys, "audit-redact-keys", "",
		"`patterns` of names, separated by commas, under which parameters, context and annotations have secrets, besides\n"+
			"password, token and the like, such as *pin,card*number; the records have [redacted] there")
}

func (o *Options) bindServing(flags *flag.FlagSet) {
	flags.StringVar(&o.MetricsAddress, "metrics-bind-address", "127.0.0.1:8080",
		"`address` of the Prometheus metrics, by HTTP on the loopback interface and anywhere else by HTTPS\n"+
			"for those who may get the path /metrics; 0 serves none")
	flags.StringVar(&o.ProbeAddress, "health-probe-bind-address", ":8081",
		"`address` of /healthz and /readyz; 0 serves none")
}

// The names of the webhooks' Service, as config/default installs it.
const (
	webhookService      = "ascend-webhook-service." + v1alpha1.GlobalNamespace
	defaultWebhookHosts = webhookService + ".svc," + webhookService + ".svc.cluster.local," + webhookService
)

func (o *Options) bindWebhooks(flags *flag.FlagSet) {
	flags.StringVar(&o.WebhookAddress, "webhook-bind-address", ":9443",
		"`address` of the webhooks, by HTTPS; every replica serves them")
	flags.StringVar(&o.WebhookHosts, "webhook-hosts", defaultWebhookHosts,
		"`hosts` that the API server calls the webhooks by, DNS names and IP addresses separated by commas, for the\n"+
			"operator's own certificate in Secret "+certs.SecretName)
	flags.StringVar(&o.WebhookCertDir, "webhook-cert-dir", "",
		"`folder` with tls.crt and tls.key, such as one that cert-manager keeps up to date; the operator then makes no\n"+
			"certificate of its own, and leaves caBundle of the webhook configurations alone")
	flags.StringVar(&o.WebhookClientCAFile, "webhook-client-ca-file", "",
		"`file` with the certificate authority, in PEM, of what the API server shows to webhooks; nobody else can then\n"+
			"call them. It is read again when it changes. Empty: whoever reaches the port can. See docs/security.md")
	flags.StringVar(&o.WebhookClientName, "webhook-client-name", "",
		"common `name` that the API server's certificate must have; empty: any certificate of that authority will do")
	flags.DurationVar(&o.SealKeyMaxAge, "seal-key-max-age", keyring.MaxAge,
		"`time` after which another key seals; what older ones have sealed stays valid")
}

// webhookHosts are the elements of WebhookHosts.
func (o *Options) webhookHosts() []string {
	hosts := strings.Split(o.WebhookHosts, ",")
	for i := range hosts {
		hosts[i] = strings.TrimSpace(hosts[i])
	}
	return hosts
}

func (o *Options) bindLeaderElection(flags *flag.FlagSet) {
	flags.BoolVar(&o.LeaderElect, "leader-elect", false,
		"elect a leader among several replicas, which alone decides; the others stay warm")
	flags.StringVar(&o.LeaderElectionNamespace, "leader-election-namespace", v1alpha1.GlobalNamespace,
		"`namespace` of the leader's Lease")
	flags.DurationVar(&o.LeaseDuration, "leader-election-lease-duration", 15*time.Second,
		"`time` after which another replica takes over from a leader that is gone")
	flags.DurationVar(&o.RenewDeadline, "leader-election-renew-deadline", 10*time.Second,
		"`time` after which a leader that cannot renew its Lease gives up")
	flags.DurationVar(&o.RetryPeriod, "leader-election-retry-period", 2*time.Second,
		"`time` between two tries to get or renew the Lease")
}
