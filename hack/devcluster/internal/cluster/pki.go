// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"time"
)

// How long certificates are good for. Authorities are kept from run to run; the
// certificates they sign are made anew at each start, so a cluster never
// outlives them by being kept.
const (
	authorityLife   = 10 * 365 * 24 * time.Hour
	certificateLife = 365 * 24 * time.Hour
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	pem  []byte // of cert
}

// leaf is what one certificate says.
type leaf struct {
	file   string // name of the files, without .crt and .key
	name   string // common name: the user, as Kubernetes reads it
	groups []string
	server bool // may serve on loopback
	client bool // may authenticate as a client
}

// frontProxyName is the user name of the API server towards aggregated ones.
const frontProxyName = "front-proxy-client"

// etcd trusts an authority of its own, so that no certificate of the cluster
// opens its store past the API server.
var (
	etcdLeaves = []leaf{
		{file: "etcd", name: "etcd", server: true, client: true},
		{file: "etcd-client", name: "kube-apiserver", client: true},
	}
	// The API server shows it to aggregated API servers, which then believe what
	// it says of the user: no other certificate may pass for it.
	frontProxyLeaves = []leaf{
		{file: "front-proxy-client", name: frontProxyName, client: true},
	}
	clusterLeaves = []leaf{
		{file: "apiserver", name: "kube-apiserver", server: true},
		{file: "admin", name: "admin", groups: []string{"system:masters"}, client: true},
		{file: "controller-manager", name: "system:kube-controller-manager", server: true, client: true},
	}
)

// makePKI writes every key and certificate that the cluster needs to DIR/pki,
// keeping the authorities and the service account key of earlier runs.
func (d Dir) makePKI(now time.Time) error {
	for _, set := range []struct {
		authority string
		leaves    []leaf
	}{{"etcd-ca", etcdLeaves}, {"front-proxy-ca", frontProxyLeaves}, {"ca", clusterLeaves}} {
		ca, err := d.keepAuthority(set.authority, now)
		if err != nil {
			return err
		}
		for _, one := range set.leaves {
			if err := d.issue(ca, one, now); err != nil {
				return fmt.Errorf("certificate %s: %w", one.file, err)
			}
		}
	}
	return d.keepServiceAccountKey()
}

// keepAuthority reads the authority from DIR/pki, or makes it if there is none.
func (d Dir) keepAuthority(name string, now time.Time) (authority, error) {
	certPEM, err := os.ReadFile(d.pki(name + ".crt"))
	if errors.Is(err, fs.ErrNotExist) {
		return d.newAuthority(name, now)
	}
	if err != nil {
		return authority{}, err
	}
	cert, err := parseCertificate(certPEM)
	if err != nil {
		return authority{}, damaged(d.pki(name+".crt"), err)
	}
	if now.After(cert.NotAfter.Add(-certificateLife)) {
		return authority{}, fmt.Errorf("the certificate authority %s ends on %s: start with --reset to make a new cluster",
			d.pki(name+".crt"), cert.NotAfter.Format(time.DateOnly))
	}
	keyPEM, err := os.ReadFile(d.pki(name + ".key"))
	if err != nil {
		return authority{}, damaged(d.pki(name+".key"), err)
	}
	key, err := parseKey(keyPEM)
	if err != nil {
		return authority{}, damaged(d.pki(name+".key"), err)
	}
	return authority{cert: cert, key: key, pem: certPEM}, nil
}

func (d Dir) newAuthority(name string, now time.Time) (authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return authority{}, err
	}
	template := newTemplate("devcluster-"+name, nil, now, authorityLife)
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return authority{}, err
	}
	// The key first: a certificate without its key would look like damage.
	if err := writeKey(d.pki(name+".key"), key); err != nil {
		return authority{}, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := writeFile(d.pki(name+".crt"), text, 0o644); err != nil {
		return authority{}, err
	}
	cert, err := x509.ParseCertificate(der)
	return authority{cert: cert, key: key, pem: text}, err
}

// issue writes a fresh key and certificate for one user of the authority.
func (d Dir) issue(ca authority, l leaf, now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := newTemplate(l.name, l.groups, now, certificateLife)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	if l.client {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	}
	if l.server {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.ParseIP(serviceIP)}
		template.DNSNames = []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
			"kubernetes.default.svc.cluster.local"}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, key.Public(), ca.key)
	if err != nil {
		return err
	}
	if err := writeKey(d.pki(l.file+".key"), key); err != nil {
		return err
	}
	return writeFile(d.pki(l.file+".crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}

// keepServiceAccountKey makes the key that signs service account tokens unless
// there is one; tokens of an earlier run stay good.
func (d Dir) keepServiceAccountKey() error {
	text, err := os.ReadFile(d.pki("sa.key"))
	if err == nil {
		if _, err := parseKey(text); err != nil {
			return damaged(d.pki("sa.key"), err)
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	return writeKey(d.pki("sa.key"), key)
}

func newTemplate(name string, groups []string, now time.Time, life time.Duration) *x509.Certificate {
	// 62 random bits are a serial number no other certificate here has.
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name, Organization: groups},
		NotBefore:    now.Add(-5 * time.Minute), // clocks of virtual machines step back
		NotAfter:     now.Add(life),
	}
}

func writeKey(path string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return writeFile(path, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600)
}

func parseCertificate(text []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM block")
	}
	return x509.ParseCertificate(block.Bytes)
}

func parseKey(text []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM block")
	}
	return x509.ParseECPrivateKey(block.Bytes)
}

func damaged(path string, err error) error {
	return fmt.Errorf("%s cannot be read: %w; start with --reset to make a new cluster", path, err)
}
