// SPDX-License-Identifier: Apache-2.0

package faultproxy_test

import (
	"crypto/x509"
	"encoding/pem"
	"io"
)

func writeCertificate(into io.Writer, certificate *x509.Certificate) {
	if err := pem.Encode(into, &pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}); err != nil {
		panic(err)
	}
}
