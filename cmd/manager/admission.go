// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strconv"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/ow-kai/ascend-operator/config"
	"github.com/ow-kai/ascend-operator/controllers"
	"github.com/ow-kai/ascend-operator/internal/certs"
	"github.com/ow-kai/ascend-operator/internal/keyring"
	"github.com/ow-kai/ascend-operator/internal/ratelimit"
	"github.com/ow-kai/ascend-operator/internal/voucher"
)

// admission is what controllers and webhooks share, and what serves the
// webhooks. Every replica serves them, also those that do not lead.
type admission struct {
	certificates *certs.Rotator // nil when files have the certificate
	keys         *keyring.Keyring
	voucher      voucher.Voucher
	limiter      *ratelimit.Limiter
	guard        *controllers.AdmissionGuard
}

// newCertificates returns nil when files have the certificate. What it returns
// lacks its clients: the manager, which has them, wants the certificate first.
func newCertificates(options *Options) *certs.Rotator {
	if options.WebhookCertDir != "" {
		return nil
	}
	return &certs.Rotator{Hosts: options.webhookHosts(), Clock: clock.RealClock{}}
}

// webhookServer serves by TLS 1.3 with the operator's own certificate, or with
// that of the files, which are read again when they change; and serves those
// alone who may call, if the flags say who that is.
func webhookServer(options *Options, certificates *certs.Rotator) (webhook.Server, error) {
	callers, err := newCallers(options)
	if err != nil {
		return nil, err
	}
	host, port, _ := net.SplitHostPort(options.WebhookAddress) // validated
	number, _ := strconv.Atoi(port)
	server := webhook.NewServer(webhook.Options{
		Host:    host,
		Port:    number,
		CertDir: options.WebhookCertDir,
		TLSOpts: []func(*tls.Config){func(c *tls.Config) {
			c.MinVersion = tls.VersionTLS13 // every API server that is supported speaks it
			if certificates != nil {
				c.GetCertificate = certificates.GetCertificate
			}
			if callers != nil {
				callers.require(c)
			}
		}},
	})
	if callers == nil {
		return server, nil
	}
	return &authenticated{Server: server, callers: callers}, nil
}

// prepareAdmission makes or reads certificate and keys. What fails is tried
// again while the manager runs, and readiness says why until then.
func prepareAdmission(ctx context.Context, mgr ctrl.Manager, options *Options, certificates *certs.Rotator) (*admission, error) {
	shipped, err := shippedAdmission()
	if err != nil {
		return nil, err
	}
	keys := keyring.New(mgr.GetAPIReader(), mgr.GetClient(), clock.RealClock{})
	keys.MaxAge = options.SealKeyMaxAge
	if err := keys.Load(ctx); err != nil {
		log.FromContext(ctx).Error(err, "Cannot load the seal keys; trying again")
	}
	// Only now, for no cache can be read before the manager runs.
	keys.InUse = func(ctx context.Context) (map[string]bool, error) { return voucher.KeysInUse(ctx, mgr.GetCache()) }
	shipped.Memory, shipped.Hosts = keys, options.webhookHosts()
	a := &admission{
		certificates: certificates,
		keys:         keys,
		voucher:      voucher.Sealed{Ring: keys.Ring, Reload: keys.Reload, VoidBefore: keys.VoidBefore},
		limiter:      ratelimit.New(),
		guard:        shipped,
	}
	if certificates == nil {
		return a, errors.Join(checkFiles(options.WebhookCertDir), mgr.Add(keys))
	}
	certificates.Live, certificates.Writer = mgr.GetAPIReader(), mgr.GetClient()
	if err := certificates.Load(ctx); err != nil {
		log.FromContext(ctx).Error(err, "Cannot load the webhook certificate; trying again")
	}
	return a, errors.Join(mgr.Add(keys), mgr.Add(certificates))
}

// checkFiles says in time what the webhook server would say later, and what to do.
func checkFiles(folder string) error {
	if _, err := tls.LoadX509KeyPair(filepath.Join(folder, "tls.crt"), filepath.Join(folder, "tls.key")); err != nil {
		return fmt.Errorf("--webhook-cert-dir: %w; put certificate and key there, or leave the flag out for a certificate of the operator's own", err)
	}
	return nil
}

// shippedAdmission guards what config/default installs.
func shippedAdmission() (*controllers.AdmissionGuard, error) {
	webhooks, err := config.Webhooks()
	if err != nil {
		return nil, fmt.Errorf("read the shipped webhooks: %w", err)
	}
	policies, err := config.AdmissionPolicies()
	if err != nil {
		return nil, fmt.Errorf("read the shipped admission policies: %w", err)
	}
	return controllers.NewAdmissionGuard(append(webhooks, policies...)...), nil
}

// addProbes: ready while the webhooks answer, with a certificate and with keys
// to seal with.
func (a *admission) addProbes(mgr ctrl.Manager) error {
	keysLoaded := func(*http.Request) error {
		if a.keys.Ring() == nil {
			return fmt.Errorf("there are no keys to seal with; see the log and Secret %s", keyring.SecretName)
		}
		return nil
	}
	errs := []error{
		mgr.AddReadyzCheck("webhooks", mgr.GetWebhookServer().StartedChecker()),
		mgr.AddReadyzCheck("seal-keys", keysLoaded),
	}
	if a.certificates != nil {
		errs = append(errs, mgr.AddReadyzCheck("certificate", func(*http.Request) error { return a.certificates.Check() }))
	}
	return errors.Join(errs...)
}
