// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/audit/otlp"
)

// maxJitter is by how much client-go stretches the retry period at most.
// Source: k8s.io/client-go/tools/leaderelection, JitterFactor.
const maxJitter = 1.2

// validate returns what is wrong with the flags, all of it; nil when nothing is.
func (o *Options) validate() error {
	return errors.Join(
		bindAddress("--metrics-bind-address", o.MetricsAddress),
		bindAddress("--health-probe-bind-address", o.ProbeAddress),
		o.validateWebhooks(),
		o.validateLeaderElection(),
		o.validateAudit(),
		urlTemplate("--approval-url", o.ApprovalURL),
		atLeastOne("--workers", o.Workers),
		positive("--collect-interval", o.CollectInterval),
		positive("--shutdown-timeout", o.ShutdownTimeout),
	)
}

// minSealKeyAge keeps keys from piling up: all verify until nothing is sealed
// with them any more.
const minSealKeyAge = time.Hour

func (o *Options) validateWebhooks() error {
	var errs []error
	if _, port, err := net.SplitHostPort(o.WebhookAddress); err != nil || !isPort(port) {
		errs = append(errs, fmt.Errorf("--webhook-bind-address: %q is no address; write host:port, or :port for every interface", o.WebhookAddress))
	}
	for _, host := range o.webhookHosts() {
		if net.ParseIP(host) == nil && len(validation.IsDNS1123Subdomain(host)) > 0 {
			errs = append(errs, fmt.Errorf("--webhook-hosts: %q is neither a DNS name nor an IP address; write hosts without port, separated by commas", host))
		}
	}
	if o.WebhookClientName != "" && o.WebhookClientCAFile == "" {
		errs = append(errs, fmt.Errorf("--webhook-client-name: %q says nothing without --webhook-client-ca-file; give the authority of the certificate, too",
			o.WebhookClientName))
	}
	if o.SealKeyMaxAge < minSealKeyAge {
		errs = append(errs, fmt.Errorf("--seal-key-max-age: must be at least %s, not %s; to have another key now, see docs/security.md",
			minSealKeyAge, o.SealKeyMaxAge))
	}
	return errors.Join(errs...)
}

func (o *Options) validateAudit() error {
	errs := []error{
		nonEmpty("--audit-log", o.AuditLog, "name a file, or - for standard output"),
		notNegative("--audit-log-max-size", o.AuditLogMaxSize),
		notNegative("--audit-log-max-files", o.AuditLogMaxFiles),
		positive("--audit-sink-timeout", o.AuditSinkTimeout),
		positive("--audit-anchor-interval", o.AuditAnchorInterval),
	}
	if on := audit.OnFailure(o.AuditOnFailure); on != audit.Stop && on != audit.Continue {
		errs = append(errs, fmt.Errorf("--audit-on-failure: %q is neither %s nor %s", o.AuditOnFailure, audit.Stop, audit.Continue))
	}
	if _, err := audit.ParseKeyPatterns(o.AuditRedactKeys); err != nil {
		errs = append(errs, fmt.Errorf("--audit-redact-keys: %w", err))
	}
	if o.AuditOTLPEndpoint != "" {
		if err := otlp.CheckEndpoint(o.AuditOTLPEndpoint); err != nil {
			errs = append(errs, fmt.Errorf("--audit-otlp-endpoint: %w", err))
		}
	} else if o.AuditOTLPHeadersFile != "" || o.AuditOTLPCAFile != "" {
		errs = append(errs, errors.New("--audit-otlp-endpoint: must be given with --audit-otlp-headers-file and --audit-otlp-ca-file, which say nothing without it"))
	}
	return errors.Join(errs...)
}

// isPort says whether a text is the number of a port that can be called.
func isPort(text string) bool {
	number, err := strconv.ParseUint(text, 10, 16)
	return err == nil && number > 0
}

func (o *Options) validateLeaderElection() error {
	if !o.LeaderElect {
		return nil
	}
	errs := []error{
		positive("--leader-election-retry-period", o.RetryPeriod),
	}
	if problems := validation.IsDNS1123Label(o.LeaderElectionNamespace); len(problems) > 0 {
		errs = append(errs, fmt.Errorf("--leader-election-namespace: %q is no name of a namespace: %s",
			o.LeaderElectionNamespace, strings.Join(problems, "; ")))
	}
	if o.LeaseDuration <= o.RenewDeadline {
		errs = append(errs, fmt.Errorf("--leader-election-lease-duration: %s must be longer than --leader-election-renew-deadline, %s; otherwise two replicas could lead at once",
			o.LeaseDuration, o.RenewDeadline))
	}
	if float64(o.RenewDeadline) <= maxJitter*float64(o.RetryPeriod) {
		errs = append(errs, fmt.Errorf("--leader-election-renew-deadline: %s must be longer than 1.2 times --leader-election-retry-period, %s; otherwise the leader has no second try",
			o.RenewDeadline, o.RetryPeriod))
	}
	return errors.Join(errs...)
}

// bindAddress checks [HOST]:PORT, or 0 for none.
func bindAddress(name, address string) error {
	if address == "0" {
		return nil
	}
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%s: %q is no address; write host:port, :port for every interface, or 0 for none", name, address)
	}
	return nil
}

// loopback says whether an address that bindAddress has passed is reached from
// this machine alone.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// maxApprovalURL is the limit of status.approvalURL in the schema.
const maxApprovalURL = 2048

func urlTemplate(name, template string) error {
	if template == "" {
		return nil
	}
	filled := strings.NewReplacer("{namespace}", "n", "{name}", "n").Replace(template)
	longest := strings.NewReplacer("{namespace}", strings.Repeat("n", 63), "{name}", strings.Repeat("n", 253)).Replace(template)
	if len(longest) > maxApprovalURL {
		return fmt.Errorf("%s: has %d characters with the longest names there can be, the limit of status.approvalURL is %d; shorten it",
			name, len(longest), maxApprovalURL)
	}
	switch u, err := url.Parse(filled); {
	case err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || strings.ContainsAny(filled, "{}"):
		return fmt.Errorf("%s: %q is no URL with the placeholders {namespace} and {name}; write one such as https://ascend.example.com/{namespace}/{name}", name, template)
	case !strings.Contains(template, "{namespace}") || !strings.Contains(template, "{name}"):
		return fmt.Errorf("%s: %q leads to the same page for every action; write {namespace} and {name} where they belong", name, template)
	default:
		return nil
	}
}

func nonEmpty(name, value, advice string) error {
	if value == "" {
		return fmt.Errorf("%s: must not be empty; %s", name, advice)
	}
	return nil
}

func atLeastOne(name string, value int) error {
	if value < 1 {
		return fmt.Errorf("%s: must be at least 1, not %d", name, value)
	}
	return nil
}

func notNegative(name string, value int) error {
	if value < 0 {
		return fmt.Errorf("%s: must not be less than 0, as %d is", name, value)
	}
	return nil
}

func positive(name string, value time.Duration) error {
	if value <= 0 {
		return fmt.Errorf("%s: must be longer than 0, not %s", name, value)
	}
	return nil
}
