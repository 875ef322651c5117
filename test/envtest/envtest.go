// SPDX-License-Identifier: Apache-2.0

// Package envtest starts a real API server with this project's CRDs for a test
// suite: etcd and kube-apiserver, without controllers.
package envtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// assetsVariable names the folder with the programs etcd, kube-apiserver and
// kubectl. `make test` builds them and sets it.
const assetsVariable = "KUBEBUILDER_ASSETS"

// processTimeout is how long etcd and the API server may each take to start or
// to stop. Alone they take seconds; the machine may be busy with other suites.
const processTimeout = 2 * time.Minute

var errNoAssets = errors.New(assetsVariable + " is not set, so there is no API server to test against; " +
	"run `make test`, or `make test PKG=./api/...` for one suite")

// TB is what Start needs of a *testing.T, a *testing.B or a GinkgoT().
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
}

// Option changes what Start starts.
type Option func(*envtest.Environment)

// APIServerFlag gives kube-apiserver a flag, such as admission-control-config-file,
// in place of any value that it has by default.
func APIServerFlag(name, value string) Option {
	return func(environment *envtest.Environment) {
		environment.ControlPlane.GetAPIServer().Configure().Set(name, value)
	}
}

// Start starts an API server with the CRDs of config/crd/bases in it. The
// config is of an administrator, who may impersonate anybody. stop ends the
// server; call it once, when the suite is over.
//
// Start never skips: where no API server can be had, the test fails and says
// what to run. It never uses the cluster of the current kubeconfig.
func Start(t TB, options ...Option) (config *rest.Config, stop func()) {
	t.Helper()
	environment, err := start(options)
	if err != nil {
		t.Fatalf("envtest: %v", err)
		return nil, func() {} // not reached: Fatalf ends the test
	}
	return environment.Config, func() {
		t.Helper()
		if err := environment.Stop(); err != nil {
			t.Fatalf("envtest: stop the API server: %v", err)
		}
	}
}

func start(options []Option) (*envtest.Environment, error) {
	if os.Getenv(assetsVariable) == "" {
		return nil, errNoAssets
	}
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	environment := &envtest.Environment{
		UseExistingCluster:       new(bool),
		CRDDirectoryPaths:        []string{filepath.Join(root, "config", "crd", "bases")},
		ErrorIfCRDPathMissing:    true,
		ControlPlaneStartTimeout: processTimeout,
		ControlPlaneStopTimeout:  processTimeout,
	}
	for _, option := range options {
		option(environment)
	}
	if _, err := environment.Start(); err != nil {
		// What was started before the failure would stay behind.
		return nil, errors.Join(fmt.Errorf("start the API server: %w", err), environment.Stop())
	}
	return environment, nil
}

// moduleRoot returns the folder of go.mod, upwards from the working folder,
// which is the test's own package.
func moduleRoot() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the module's root: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", errors.New("find the module's root: no go.mod above the working folder")
		}
		folder = parent
	}
}
