{{- define "vmaf-tune.volumes" -}}
- name: config
  configMap:
    name: {{ include "vmaf-tune.fullname" . }}
- name: worker-tmp
  emptyDir:
    sizeLimit: {{ .Values.worker.tmpSize }}
- name: input
  {{- .Values.worker.input.volume | default (dict "emptyDir" (dict)) | toYaml | nindent 2 }}
- name: results
  {{- .Values.worker.results.volume | default (dict "emptyDir" (dict)) | toYaml | nindent 2 }}
{{- range $name := splitList " " (include "vmaf-tune.volumeNames" .) }}
{{- $volume := index $.Values.persistence $name }}
- name: {{ $name }}
  {{- if $volume.enabled }}
  persistentVolumeClaim:
    claimName: {{ $volume.existingClaim | default (printf "%s-%s" (include "vmaf-tune.fullname" $) $name) }}
  {{- else }}
  emptyDir:
    sizeLimit: {{ $volume.size }}
  {{- end }}
{{- end }}
{{- if .Values.sidecar.trainer.enabled }}
- name: trainer-tmp
  emptyDir:
    sizeLimit: {{ .Values.sidecar.trainer.tmpSize }}
- name: trainer-socket
  emptyDir:
    medium: Memory
    sizeLimit: 1Mi
{{- end }}
{{- end }}
