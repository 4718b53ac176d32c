<?php
// Talks to Laravel Forge.
function forgeRequest($method, $path) { return []; }
function deploySite($server, $site) { return forgeRequest('POST', "servers/$server/sites/$site/deployment/deploy"); }
