// SPDX-License-Identifier: Apache-2.0

// Package certs gives the webhook server its certificate without cert-manager.
//
// A CA of the operator's own and the serving certificate it has signed live in
// one Secret. Every replica looks at it every ten seconds, renews what is due,
// serves the newest certificate without a restart, and writes the CAs into the
// clientConfig.caBundle of both webhook configurations, so that the API server
// believes the certificate.
//
// No replica is special. Who renews is settled by the Secret's resourceVersion:
// one writes, the others read again.
package certs
