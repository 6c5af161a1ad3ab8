from database import url

broker_url = f"sqla+{url('admin')}"
task_ignore_result = True
worker_enable_remote_control = False
