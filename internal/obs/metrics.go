// Package obs is what the server tells about itself: metrics, health and logs. None of it
// carries patient data.
package obs

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics counts the work of a server. It is safe for concurrent use.
type Metrics struct {
	Started time.Time

	Associations, Active, Peak, Rejected, Aborted atomic.Int64
	Messages, BytesIn, BytesOut                   atomic.Int64
	Stored, Queries, Moves, Gets, Sent            atomic.Int64

	registry   *prometheus.Registry
	operations *prometheus.HistogramVec
}

// NewMetrics returns counters at zero.
func NewMetrics(now time.Time) *Metrics {
	m := &Metrics{Started: now, registry: prometheus.NewRegistry()}
	m.operations = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "gantry_dimse_operation_duration_seconds",
		Help:    "Time from a DIMSE request to its final response, by operation and status class.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 60, 600},
	}, []string{"operation", "status"})
	m.registry.MustRegister(m.operations, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.counter("gantry_associations_total", "Associations that were accepted.", &m.Associations)
	m.gauge("gantry_associations_active", "Associations open now.", &m.Active)
	m.gauge("gantry_associations_active_peak", "Most associations open at a time since start.", &m.Peak)
	m.counter("gantry_associations_rejected_total", "Associations that were refused.", &m.Rejected)
	m.counter("gantry_associations_aborted_total", "Associations that ended by abort.", &m.Aborted)
	m.counter("gantry_dimse_messages_total", "DIMSE requests received.", &m.Messages)
	m.counter("gantry_network_receive_bytes_total", "Bytes received from DICOM peers.", &m.BytesIn)
	m.counter("gantry_network_transmit_bytes_total", "Bytes sent to DICOM peers.", &m.BytesOut)
	m.counter("gantry_instances_stored_total", "Instances that were stored.", &m.Stored)
	m.counter("gantry_instances_sent_total", "Instances that were sent by C-GET and C-MOVE.", &m.Sent)
	m.counter("gantry_queries_total", "C-FIND requests.", &m.Queries)
	m.counter("gantry_moves_total", "C-MOVE requests.", &m.Moves)
	m.counter("gantry_gets_total", "C-GET requests.", &m.Gets)
	return m
}

func (m *Metrics) counter(name, help string, v *atomic.Int64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
		func() float64 { return float64(v.Load()) }))
}

func (m *Metrics) gauge(name, help string, v *atomic.Int64) { m.Gauge(name, help, v.Load) }

// Gauge adds a metric that is asked for its value when somebody looks.
func (m *Metrics) Gauge(name, help string, value func() int64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help},
		func() float64 { return float64(value()) }))
}

// Counter adds a metric that only grows.
func (m *Metrics) Counter(name, help string, v *atomic.Int64) { m.counter(name, help, v) }

// Opened counts an association that was accepted.
func (m *Metrics) Opened() {
	m.Associations.Add(1)
	n := m.Active.Add(1)
	for p := m.Peak.Load(); n > p && !m.Peak.CompareAndSwap(p, n); p = m.Peak.Load() {
	}
}

// Closed counts the end of an association.
func (m *Metrics) Closed(aborted bool) {
	m.Active.Add(-1)
	if aborted {
		m.Aborted.Add(1)
	}
}

// Operation counts a DIMSE operation that ended.
func (m *Metrics) Operation(operation, status string, took time.Duration) {
	m.operations.WithLabelValues(operation, status).Observe(took.Seconds())
}

// Handler serves the metrics in the Prometheus text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
