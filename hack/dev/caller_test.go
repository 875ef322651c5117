// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"
)

func TestTheAPIServerShowsACertificateThatTheOperatorKnows(t *testing.T) {
	f := folder(filepath.Join(t.TempDir(), `a "strange": folder`))
	if err := f.make(); err != nil {
		t.Fatal(err)
	}
	if err := f.makeCaller(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(f.callerCA())
	if err != nil {
		t.Fatal(err)
	}
	if err := f.makeCaller(); err != nil { // a folder that is continued
		t.Fatal(err)
	}
	authority, err := os.ReadFile(f.callerCA())
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(before, authority) {
		t.Error("the authority is the one of the run before")
	}
	for _, kubeconfig := range kubeconfigsOf(t, f.admissionConfiguration()) {
		shown := shownBy(t, kubeconfig)
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(authority)
		if _, err := shown.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
			t.Error(err)
		}
		if shown.Subject.CommonName != callerName || shown.IsCA {
			t.Errorf("the certificate is of %s", shown.Subject)
		}
		if info, err := os.Stat(kubeconfig); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want mode 0600", kubeconfig, info.Mode(), err)
		}
	}
}

// kubeconfigsOf are the files that an AdmissionConfiguration names.
func kubeconfigsOf(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var configuration struct {
		Plugins []struct {
			Name          string `json:"name"`
			Configuration struct {
				KubeConfigFile string `json:"kubeConfigFile"`
			} `json:"configuration"`
		} `json:"plugins"`
	}
	if err := yaml.Unmarshal(text, &configuration); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, plugin := range configuration.Plugins {
		found[plugin.Name] = plugin.Configuration.KubeConfigFile
	}
	return []string{found["MutatingAdmissionWebhook"], found["ValidatingAdmissionWebhook"]}
}

// shownBy is the certificate of the user * in a kubeconfig.
func shownBy(t *testing.T, kubeconfig string) *x509.Certificate {
	t.Helper()
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	user := config.AuthInfos["*"]
	if user == nil {
		t.Fatalf("%s has no user *", kubeconfig)
	}
	pair, err := tls.X509KeyPair(user.ClientCertificateData, user.ClientKeyData)
	if err != nil {
		t.Fatal(err)
	}
	return pair.Leaf
}
